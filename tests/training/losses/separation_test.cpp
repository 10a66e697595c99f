#include "training/losses/separation.h"

#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

/// CoSENT over pairs of pairs, O(texts⁴).
double naive_separation(const at::Tensor& texts, const at::Tensor& labels, double temperature) {
  const at::Tensor similarities = cosines(texts, texts);
  std::vector<double> within, across;
  for (int64_t i = 0; i < texts.size(0); ++i) {
    for (int64_t j = i + 1; j < texts.size(0); ++j) {
      const bool is_same = labels[i].item<int64_t>() == labels[j].item<int64_t>();
      (is_same ? within : across).push_back(element(similarities, i, j));
    }
  }
  double sum = 1;
  for (const double same : within) {
    for (const double different : across) sum += std::exp((different - same) / temperature);
  }
  return std::log(sum);
}

TEST(Separation, EqualsTheGolden) {
  const LossBatch golden = golden_batch();
  LossBatch batch;
  batch.queries = at::cat({golden.queries, golden.positives});
  batch.labels = golden_list("separation labels (rows Q0..3,P0..3)").to(at::kLong);
  EXPECT_NEAR(loss_value(batch, loss_recipe("separation", 0.02)), golden_value("separation naive tau=0.02"), 1e-9);
}

TEST(Separation, EqualsPairsOfPairs) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    LossBatch batch;
    batch.queries = random_tensor(seed, {9, 4});
    batch.labels = random_classes(seed, {9}, 3);
    for (const double tau : {0.02, 0.3, 5.0}) {
      EXPECT_NEAR(loss_value(batch, loss_recipe("separation", tau)), naive_separation(batch.queries, batch.labels, tau),
                  1e-11);
    }
  }
}

TEST(Separation, PositivesHaveTheLabelOfTheirQuery) {
  const LossBatch batch = full_batch(false);
  EXPECT_NEAR(loss_value(batch, loss_recipe("separation")),
              naive_separation(at::cat({batch.queries, batch.positives}), at::cat({batch.labels, batch.labels}), 0.05),
              1e-11);
  LossBatch queries = batch;
  queries.positives = at::Tensor();
  EXPECT_NEAR(loss_value(queries, loss_recipe("separation")), naive_separation(batch.queries, batch.labels, 0.05),
              1e-11);
  gradient_check(loss_recipe("separation", 0.02), queries, 1e-6);
}

TEST(Separation, IsZeroWhereOneKindOfPairIsAbsent) {
  LossBatch batch = full_batch(false);
  batch.positives = at::Tensor();
  const LossRecipe recipe = loss_recipe("separation");
  for (const at::Tensor& labels : {at::zeros({5}, at::kLong), at::arange(5, at::kLong)}) {
    batch.labels = labels;
    EXPECT_EQ(loss_value(batch, recipe), 0);
    for (const at::Tensor& gradient : gradients_of([&](const LossBatch& b) { return separation(b, recipe); }, batch)) {
      EXPECT_EQ(gradient.abs().max().item<double>(), 0);
    }
  }
}

TEST(Separation, FallsWhenClassesMoveApart) {
  LossBatch batch;
  batch.labels = at::tensor({0, 0, 1, 1}, at::kLong);
  batch.queries = at::eye(4, at::kDouble);
  const double mixed = loss_value(batch, loss_recipe("separation"));
  EXPECT_NEAR(mixed, std::log(1 + 2 * 4), 1e-12);  // all similarities 0: pairs within times pairs across
  batch.queries = at::eye(2, at::kDouble).repeat_interleave(2, 0);
  EXPECT_LT(loss_value(batch, loss_recipe("separation")), 1e-7);
}

}  // namespace
}  // namespace jina::test
