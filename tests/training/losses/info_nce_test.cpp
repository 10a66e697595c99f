#include "training/losses/info_nce.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

/// The paper's sums, row by row; `is_out(i, column)` leaves a document out.
template <typename IsOut>  // any callable
double naive_one_way(const at::Tensor& scores, double temperature, const IsOut& is_out) {
  double sum = 0;
  for (int64_t i = 0; i < scores.size(0); ++i) {
    double denominator = 0;
    for (int64_t k = 0; k < scores.size(1); ++k) {
      if (k == i || !is_out(i, k)) denominator += std::exp(element(scores, i, k) / temperature);
    }
    sum -= std::log(std::exp(element(scores, i, i) / temperature) / denominator);
  }
  return sum / static_cast<double>(scores.size(0));
}

at::Tensor documents_of(const LossBatch& batch) { return at::cat({batch.positives, batch.negatives.flatten(0, 1)}); }

LossBatch without_negatives(LossBatch batch) {
  batch.negatives = at::Tensor();
  return batch;
}

TEST(InfoNce, EqualsTheGolden) {
  const LossBatch batch = golden_batch();
  const LossBatch pairs = without_negatives(batch);
  for (const auto& [tau, text] : {std::pair{0.05, "tau=0.05"}, {0.02, "tau=0.02"}}) {
    const auto golden = [text = text](const std::string& name) { return golden_value(name + " " + text); };
    EXPECT_NEAR(loss_value(pairs, loss_recipe("info_nce", tau, {{"directions", 1}})), golden("infonce_q2p_mean"), 1e-9);
    EXPECT_NEAR(loss_value(pairs, loss_recipe("info_nce", tau)), golden("infonce_bidirectional_sum"), 1e-9);
    EXPECT_NEAR(loss_value(batch, loss_recipe("info_nce", tau)), golden("triplet_nce"), 1e-9);
  }
}

TEST(InfoNce, GradientEqualsTheGolden) {
  const LossRecipe recipe = loss_recipe("info_nce", 0.05);
  const auto gradients =
      gradients_of([&](const LossBatch& b) { return info_nce(b, recipe); }, without_negatives(golden_batch()));
  EXPECT_LE(max_difference(gradients[0][0], golden_list("grad bi-infonce tau=0.05 dL/dQraw[0]")), 1e-9);
}

TEST(InfoNce, GradientsOfAllOptions) {
  const LossBatch batch = full_batch(false);
  gradient_check(loss_recipe("info_nce", 0.02, {{"directions", 1}}), without_negatives(batch), 1e-6);
  gradient_check(loss_recipe("info_nce", 0.2, {{"class_mask", 1}, {"false_negative_margin", 0.2}}), batch);
}

TEST(InfoNce, EqualVectorsGiveTheLogarithmOfTheChoices) {
  LossBatch batch;
  batch.queries = at::zeros({8, 4}, at::kFloat);
  batch.positives = at::zeros({8, 4}, at::kFloat);
  EXPECT_NEAR(loss_value(batch, loss_recipe("info_nce")), 2 * std::log(8), 1e-6);
  EXPECT_NEAR(loss_value(batch, loss_recipe("info_nce", 0.05, {{"directions", 1}})), std::log(8), 1e-6);
  batch.negatives = at::zeros({8, 3, 4}, at::kFloat);
  EXPECT_NEAR(loss_value(batch, loss_recipe("info_nce")), std::log(32) + std::log(8), 1e-6);
}

TEST(InfoNce, ClassMaskLeavesOutTheSameClass) {
  const LossBatch batch = full_batch(false);
  const at::Tensor scores = cosines(batch.queries, documents_of(batch));
  const at::Tensor document_labels = at::cat({batch.labels, batch.negative_labels.flatten()});
  const auto is_same = [&](int64_t i, int64_t k) {
    return batch.labels[i].item<int64_t>() == document_labels[k].item<int64_t>();
  };
  const double expected = naive_one_way(scores, 0.3, is_same) + naive_one_way(scores.narrow(1, 0, 5).t(), 0.3, is_same);
  EXPECT_NEAR(loss_value(batch, loss_recipe("info_nce", 0.3, {{"class_mask", 1}})), expected, 1e-12);
  EXPECT_GT(std::abs(loss_value(batch, loss_recipe("info_nce", 0.3)) - expected), 0.1);
}

TEST(InfoNce, MarginLeavesOutWhatBeatsThePositive) {
  const LossBatch batch = full_batch(false);
  const at::Tensor scores = cosines(batch.queries, documents_of(batch));
  const at::Tensor reverse = scores.narrow(1, 0, 5).t();
  const auto beats = [](const at::Tensor& s, double margin) {
    return [&s, margin](int64_t i, int64_t k) { return element(s, i, k) > element(s, i, i) + margin; };
  };
  std::vector<double> values;
  for (const double margin : {0.0, 0.1, 2.0}) {
    const double expected =
        naive_one_way(scores, 0.3, beats(scores, margin)) + naive_one_way(reverse, 0.3, beats(reverse, margin));
    values.push_back(loss_value(batch, loss_recipe("info_nce", 0.3, {{"false_negative_margin", margin}})));
    EXPECT_NEAR(values.back(), expected, 1e-12);
  }
  EXPECT_LT(values[0], values[2]);
  EXPECT_EQ(values[2], loss_value(batch, loss_recipe("info_nce", 0.3)));
}

TEST(InfoNce, OrderOfRowsDoesNotMatterButWhichPairDoes) {
  const LossBatch batch = full_batch(false);
  const at::Tensor order = at::tensor({3, 0, 4, 1, 2}, at::kLong);
  LossBatch shuffled = batch;
  shuffled.queries = batch.queries.index_select(0, order);
  const double mismatched = loss_value(shuffled, loss_recipe("info_nce"));
  shuffled.positives = batch.positives.index_select(0, order);
  shuffled.negatives = batch.negatives.index_select(0, order);
  const double value = loss_value(batch, loss_recipe("info_nce"));
  EXPECT_NEAR(loss_value(shuffled, loss_recipe("info_nce")), value, 1e-12);
  EXPECT_GT(mismatched, value + 1);
}

TEST(InfoNce, ClassMaskNeedsLabels) {
  LossBatch batch = full_batch(false);
  const LossRecipe recipe = loss_recipe("info_nce", 0.05, {{"class_mask", 1}});
  batch.negative_labels = random_classes(1, {5, 3}, 2);
  expect_error(ErrorKind::kInvalidInput, "column negative_label: expected shape (5, 2), found (5, 3)",
               [&] { info_nce(batch, recipe); });
  batch.negative_labels = at::Tensor();
  expect_error(ErrorKind::kInvalidInput, "loss 'info_nce' needs column negative_label",
               [&] { info_nce(batch, recipe); });
  batch.labels = at::Tensor();
  expect_error(ErrorKind::kInvalidInput, "loss 'info_nce' needs column label", [&] { info_nce(batch, recipe); });
}

}  // namespace
}  // namespace jina::test
