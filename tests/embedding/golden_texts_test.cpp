#include <gtest/gtest.h>

#include "jina/embedder.h"
#include "support/embedding.h"
#include "support/golden.h"
#include "support/tolerance.h"
#include "text/tokenizer.h"

namespace jina {
namespace {

using test::all_values;
using test::Golden;
using test::max_difference;

/// From text to vector, through the public interface.
struct Opened {
  explicit Opened(const std::string& name, const OpenOptions& options)
      : golden(name), embedder(Embedder::open(golden.model_directory(), options)) {}
  Golden golden;
  Embedder embedder;
};

void expect_vectors(const Opened& opened, const std::vector<EmbedInput>& inputs, const std::string& name,
                    int64_t dimensions) {
  const auto results = opened.embedder.embed(inputs, {.dimensions = dimensions, .truncate = true});
  EXPECT_LE(max_difference(all_values(results), opened.golden.tensor(name).span<float>()), test::kEmbeddingTolerance)
      << name;
}

void expect_ids(const Opened& opened, const std::vector<EmbedInput>& inputs, const std::vector<Json>& tokens) {
  const Tokenizer tokenizer = Tokenizer::load(opened.golden.model_directory() + "/tokenizer.json");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto ids = tokens[i].find("ids");
    if (!ids) continue;
    const std::string text = opened.embedder.prompt_of(inputs[i]) + inputs[i].text;
    EXPECT_EQ(tokenizer.encode(text, {.max_length = opened.embedder.info().max_tokens}).ids, test::int_list(*ids)) << i;
  }
}

/// Runs `body` with packed and with mapped weights.
template <typename Body>  // any callable
void for_each_policy(const std::string& name, Body&& body) {
  for (const bool is_mapped : {false, true}) {
    body(Opened(name, {.precision = Precision::kF32, .threads = 2, .map_weights = is_mapped}));
  }
}

class PlainTexts : public testing::TestWithParam<const char*> {};

TEST_P(PlainTexts, IdsAndVectors) {
  for_each_policy(GetParam(), [](const Opened& opened) {
    const auto tokens = opened.golden.expected().at("texts").as_array();
    std::vector<EmbedInput> inputs;
    for (const Json& token : tokens) inputs.push_back({.text = std::string(token.at("text").as_string())});
    expect_ids(opened, inputs, tokens);
    expect_vectors(opened, inputs, "embedding", 0);
    if (const auto sizes = opened.golden.expected().find("truncate_dims")) {
      for (const int32_t size : test::int_list(*sizes)) {
        expect_vectors(opened, inputs, "embedding.dim" + std::to_string(size), size);
      }
    }
  });
}

/// The chunks of a `late` entry, as spans of bytes.
std::vector<TextSpan> byte_spans(const Json& late) {
  std::vector<TextSpan> spans;
  for (const Json& span : late.at("byte_spans").as_array()) {
    const auto ends = test::int_list(span);
    spans.push_back({static_cast<size_t>(ends[0]), static_cast<size_t>(ends[1])});
  }
  return spans;
}

class PlainLateChunks : public testing::TestWithParam<const char*> {};

TEST_P(PlainLateChunks, VectorsOfChunks) {
  const Opened opened(GetParam(), {.precision = Precision::kF32, .threads = 2});
  const Json late = opened.golden.expected().at("late");
  const EmbedInput input{.text = std::string(late.at("text").as_string()), .spans = byte_spans(late)};
  const auto results = opened.embedder.embed({input}, {.kind = VectorKind::kLateChunks});
  EXPECT_LE(max_difference(results[0].values, opened.golden.tensor("late.extended.embedding").span<float>()),
            test::kEmbeddingTolerance);
}

INSTANTIATE_TEST_SUITE_P(Families, PlainTexts,
                         testing::Values("bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h",
                                         "v2-code-6h"));

INSTANTIATE_TEST_SUITE_P(Families, PlainLateChunks,
                         testing::Values("bert-tiny-cls", "v2-small-8h", "v2-base-12h", "v2-code-6h"));

class TaskTexts : public testing::TestWithParam<const char*> {};

EmbedInput task_input(const Json& text, const std::optional<Json>& task, bool has_instruction) {
  return {.text = std::string(text.as_string()),
          .task = task ? std::string(task->as_string()) : std::string(),
          .use_prompt = has_instruction};
}

TEST_P(TaskTexts, IdsAndVectorsOfEveryRun) {
  for_each_policy(GetParam(), [](const Opened& opened) {
    const Json expected = opened.golden.expected();
    const auto texts = expected.at("texts").as_array();
    for (const Json& run : expected.at("runs").as_array()) {
      std::vector<EmbedInput> inputs;
      for (const Json& text : texts) {
        inputs.push_back(task_input(text, run.find("task"), !run.at("instruction").as_string().empty()));
      }
      const std::string name = std::string(run.at("key").as_string()) + ".embedding";
      expect_ids(opened, inputs, run.at("tokens").as_array());
      expect_vectors(opened, inputs, name, 0);
      for (const int32_t size : test::int_list(expected.at("matryoshka_dimensions"))) {
        const std::string cut = name + ".dim" + std::to_string(size);
        if (opened.golden.has(cut)) expect_vectors(opened, inputs, cut, size);
      }
    }
  });
}

TEST_P(TaskTexts, MixedTasksInOneBatch) {
  const Opened opened(GetParam(), {.precision = Precision::kF32, .threads = 2});
  const auto texts = opened.golden.expected().at("texts").as_array();
  std::vector<EmbedInput> inputs;
  for (const Json& row : opened.golden.expected().at("mixed_batch").as_array()) {
    inputs.push_back(task_input(texts[static_cast<size_t>(row.at("text").as_int())], row.find("task"),
                                row.at("instruction").as_bool()));
  }
  expect_vectors(opened, inputs, "mixed_batch.embedding", 0);
}

TEST_P(TaskTexts, LateChunks) {
  const Opened opened(GetParam(), {.precision = Precision::kF32, .threads = 2});
  const Json late = opened.golden.expected().at("late");
  for (const Json& run : late.at("runs").as_array()) {
    EmbedInput input = task_input(late.at("text"), run.find("task"), !run.at("instruction").as_string().empty());
    input.spans = byte_spans(late);
    const auto results = opened.embedder.embed({input}, {.kind = VectorKind::kLateChunks});
    const std::string name = std::string(run.at("key").as_string()) + ".extended.embedding";
    EXPECT_LE(max_difference(results[0].values, opened.golden.tensor(name).span<float>()), test::kEmbeddingTolerance)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TaskTexts, testing::Values("v3-tiny", "v3-tiny-bf16"));

}  // namespace
}  // namespace jina
