#include <algorithm>
#include <set>

#include "base/file.h"
#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

/// Takes one column away.
void remove_column(LossBatch& batch, std::string_view name) {
  const std::map<std::string_view, std::function<void()>> removals = {
      {"query", [&] { batch.queries = at::Tensor(); }},
      {"positive", [&] { batch.positives = at::Tensor(); }},
      {"negatives", [&] { batch.negatives = at::Tensor(); }},
      {"score", [&] { batch.scores = at::Tensor(); }},
      {"label", [&] { batch.labels = at::Tensor(); }},
      {"teacher_query", [&] { batch.teacher_queries = at::Tensor(); }},
      {"query_tokens", [&] { batch.query_tokens = {}; }},
      {"positive_tokens", [&] { batch.positive_tokens = {}; }},
      {"layers", [&] { batch.layers = {}; }},
      {"teacher_layers", [&] { batch.teacher_layers = {}; }},
  };
  removals.at(name)();
}

void convert(LossBatch& batch, at::ScalarType type) {
  for (at::Tensor* member : {&batch.queries, &batch.positives, &batch.negatives, &batch.scores, &batch.teacher_queries,
                             &batch.teacher_positives, &batch.query_tokens.vectors, &batch.positive_tokens.vectors}) {
    *member = member->to(type);
  }
  for (at::Tensor& layer : batch.layers) layer = layer.to(type);
  for (at::Tensor& layer : batch.teacher_layers) layer = layer.to(type);
}

TEST(LossRegistry, EveryGradientEqualsFiniteDifferences) {
  for (const LossEntry& entry : all_losses()) {
    SCOPED_TRACE(entry.name);
    gradient_check(loss_recipe(entry.name, 0.2), full_batch(entry));
  }
}

TEST(LossRegistry, SinglePrecisionIsClose) {
  for (const LossEntry& entry : all_losses()) {
    LossBatch batch = full_batch(entry);
    const double expected = loss_value(batch, loss_recipe(entry.name));
    convert(batch, at::kFloat);
    const at::Tensor value = compute_loss(batch, loss_recipe(entry.name));
    EXPECT_EQ(value.scalar_type(), at::kFloat) << entry.name;
    EXPECT_NEAR(value.item<double>(), expected, 1e-4 * std::abs(expected)) << entry.name;
  }
}

TEST(LossRegistry, Bf16IsLiftedBeforeAnySum) {
  for (const LossEntry& entry : all_losses()) {
    LossBatch batch = full_batch(entry);
    convert(batch, at::kBFloat16);
    const LossBatch rounded = batch;
    convert(batch, at::kFloat);
    const at::Tensor value = compute_loss(rounded, loss_recipe(entry.name));
    EXPECT_EQ(value.scalar_type(), at::kFloat) << entry.name;
    const double expected = loss_value(batch, loss_recipe(entry.name));
    EXPECT_NEAR(value.item<double>(), expected, 1e-6 * std::abs(expected)) << entry.name;
  }
}

TEST(LossRegistry, EveryNeededColumnIsMissed) {
  int missed = 0;
  for (const LossEntry& entry : all_losses()) {
    for (const std::string_view column : columns_of(entry).needed) {
      LossBatch batch = full_batch(entry);
      remove_column(batch, column);
      expect_error(ErrorKind::kInvalidInput, fmt::format("loss '{}' needs column {}", entry.name, column),
                   [&] { entry.compute(batch, loss_recipe(entry.name)); });
      ++missed;
    }
  }
  EXPECT_GT(missed, 30);
}

TEST(LossRegistry, InputsStayAsTheyWere) {
  for (const LossEntry& entry : all_losses()) {
    LossBatch batch = full_batch(entry), untouched = full_batch(entry);
    compute_loss(batch, loss_recipe(entry.name));
    const auto left = differentiable(batch), right = differentiable(untouched);
    for (size_t i = 0; i < left.size(); ++i) EXPECT_TRUE(at::equal(*left[i], *right[i])) << entry.name;
  }
}

TEST(LossRegistry, NamesAreOnceAndFound) {
  std::set<std::string_view> names;
  for (const LossEntry& entry : all_losses()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(find_loss(entry.name).compute, entry.compute);
  }
  EXPECT_EQ(names.size(), 13U);
  expect_error(ErrorKind::kInvalidInput, "unknown loss ''; known are: info_nce", [] { find_loss(""); });
}

TEST(LossRegistry, ColumnsAreSplitAtTheBar) {
  const LossColumns columns = columns_of(find_loss("info_nce"));
  EXPECT_EQ(columns.needed, (std::vector<std::string_view>{"query", "positive"}));
  EXPECT_EQ(columns.optional, (std::vector<std::string_view>{"negatives", "label", "negative_label"}));
  EXPECT_TRUE(columns_of(find_loss("cosent")).optional.empty());
}

TEST(LossRegistry, TheDocumentHasTheTable) {
  const std::string document = read_file(JINA_SOURCE_DIR "/docs/losses.md");
  EXPECT_NE(document.find("\n\n" + losses_table() + "\n"), std::string::npos) << "docs/losses.md should hold\n"
                                                                              << losses_table();
}

TEST(LossRegistry, TheTableHasARowForEachLoss) {
  const std::string table = losses_table();
  EXPECT_EQ(std::ranges::count(table, '\n'), static_cast<int64_t>(2 + all_losses().size()));
  for (size_t begin = 0; begin < table.size();) {  // no cell may hold the sign that divides cells
    const size_t end = table.find('\n', begin);
    EXPECT_EQ(std::count(table.begin() + static_cast<int64_t>(begin), table.begin() + static_cast<int64_t>(end), '|'),
              7);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace jina::test
