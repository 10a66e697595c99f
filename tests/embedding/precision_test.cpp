#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "jina/embedder.h"
#include "ops/cpu/cpu_backend.h"
#include "support/default_model.h"
#include "support/embedding.h"
#include "support/golden.h"
#include "support/shared_files.h"
#include "support/tolerance.h"

// bf16 against f32: interchangeable vectors, and the same neighbours.
namespace jina {
namespace {

std::vector<Embedding> embed(const std::string& directory, Precision precision, const std::vector<EmbedInput>& inputs) {
  return Embedder::open(directory, {.precision = precision, .threads = 2}).embed(inputs, {.truncate = true});
}

class Bf16 : public testing::TestWithParam<const char*> {};

TEST_P(Bf16, VectorsOfTinyModelsPointTheSameWay) {
  if (!has_fast_bf16()) GTEST_SKIP() << "no bf16 on this processor";
  const test::Golden golden(GetParam());
  std::vector<EmbedInput> inputs;
  for (const Json& text : golden.expected().at("texts").as_array()) {
    inputs.push_back({.text = std::string((text.is_string() ? text : text.at("text")).as_string())});
  }
  const auto exact = embed(golden.model_directory(), Precision::kF32, inputs);
  const auto narrow = embed(golden.model_directory(), Precision::kBF16, inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    // Two or seven tokens of random weights average out little: rounding nothing but the operands to bf16, in float64,
    // gives 0.99986 for the second text of v2-small-8h and 0.99988 for the third of v2-base-12h. They have a floor of
    // their own; from ten tokens on the bound of real models holds.
    constexpr double kShortTextCosine = 0.9998;
    const double floor = exact[i].tokens >= 10 ? test::kBf16Cosine : kShortTextCosine;
    EXPECT_GE(test::cosine(exact[i].values, narrow[i].values), floor) << i;
    EXPECT_NE(exact[i].values, narrow[i].values) << i;  // bf16 was in use
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Bf16,
                         testing::Values("bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h", "v2-code-6h",
                                         "v3-tiny", "v3-tiny-bf16"));

/// The first `count` different sentences of the STS benchmark (sixth and seventh column).
std::vector<EmbedInput> sts_sentences(const std::string& path, size_t count) {
  std::vector<EmbedInput> inputs;
  std::set<std::string> seen;
  test::for_each_line(test::read_gzip(path), [&](size_t line, const std::string& text) {
    std::vector<std::string> columns;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\t', begin), text.size());
      columns.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    for (size_t i = 6; i < std::min<size_t>(columns.size(), 8); ++i) {
      if (line > 1 && inputs.size() < count && seen.insert(columns[i]).second) inputs.push_back({.text = columns[i]});
    }
  });
  return inputs;
}

/// The ten nearest other texts of each text by cosine.
std::vector<std::set<size_t>> neighbours(const std::vector<Embedding>& vectors) {
  std::vector<std::set<size_t>> result;
  for (size_t i = 0; i < vectors.size(); ++i) {
    std::vector<double> scores;
    for (const Embedding& other : vectors) scores.push_back(test::cosine(vectors[i].values, other.values));
    scores[i] = -2;
    std::vector<size_t> order(vectors.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::partial_sort(order, order.begin() + 10, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    result.emplace_back(order.begin(), order.begin() + 10);
  }
  return result;
}

/// Mean over all texts of |a and b| / 10.
double mean_overlap(const std::vector<std::set<size_t>>& a, const std::vector<std::set<size_t>>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(std::ranges::count_if(a[i], [&](size_t text) { return b[i].contains(text); })) / 10;
  }
  return sum / static_cast<double>(a.size());
}

TEST(Bf16Slow, AThousandSentencesKeepTheirNeighbours) {
  const std::string path = test::shared_path("data/sts/stsbenchmark.tsv.gz");
  if (!has_fast_bf16()) GTEST_SKIP() << "no bf16 on this processor";
  if (!test::has_default_model()) GTEST_SKIP() << "absent: " << test::default_model_directory();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "absent: " << path << " (set JINA_SHARED_DIR)";
  const auto inputs = sts_sentences(path, 1000);
  ASSERT_EQ(inputs.size(), 1000U);
  const auto exact = embed(test::default_model_directory(), Precision::kF32, inputs);
  const auto narrow = embed(test::default_model_directory(), Precision::kBF16, inputs);
  double lowest = 1;
  for (size_t i = 0; i < inputs.size(); ++i) {
    lowest = std::min(lowest, test::cosine(exact[i].values, narrow[i].values));
  }
  const double overlap = mean_overlap(neighbours(exact), neighbours(narrow));
  RecordProperty("lowest_cosine", std::to_string(lowest));
  RecordProperty("overlap_of_ten", std::to_string(overlap));
  EXPECT_GE(lowest, test::kBf16Cosine);
  EXPECT_GE(overlap, 0.99);
}

}  // namespace
}  // namespace jina
