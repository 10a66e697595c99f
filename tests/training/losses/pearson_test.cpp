#include "training/losses/pearson.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

at::Tensor pair_cosines(const LossBatch& batch) { return cosines(batch.queries, batch.positives).diagonal(); }

TEST(Pearson, EqualsTheTextbook) {
  const LossBatch batch = full_batch(false);
  const at::Tensor s = pair_cosines(batch);
  double sum_s = 0, sum_y = 0, sum_ss = 0, sum_yy = 0, sum_sy = 0;
  for (int64_t i = 0; i < 5; ++i) {
    const double x = element(s, i), y = element(batch.scores, i);
    sum_s += x, sum_y += y, sum_ss += x * x, sum_yy += y * y, sum_sy += x * y;
  }
  const double correlation =
      (5 * sum_sy - sum_s * sum_y) / std::sqrt((5 * sum_ss - sum_s * sum_s) * (5 * sum_yy - sum_y * sum_y));
  EXPECT_NEAR(loss_value(batch, loss_recipe("pearson")), 1 - correlation, 1e-12);
}

TEST(Pearson, IsZeroOnALineAndTwoOnAFallingOne) {
  LossBatch batch = full_batch(false);
  batch.scores = pair_cosines(batch) * 2.5 + 3;
  EXPECT_NEAR(loss_value(batch, loss_recipe("pearson")), 0, 1e-12);
  batch.scores = -batch.scores;
  EXPECT_NEAR(loss_value(batch, loss_recipe("pearson")), 2, 1e-12);
}

TEST(Pearson, ConstantScoresGiveOneWithoutGradient) {
  LossBatch batch = full_batch(false);
  batch.scores = at::full({5}, 3.0, at::kDouble);
  const LossRecipe recipe = loss_recipe("pearson");
  EXPECT_EQ(loss_value(batch, recipe), 1);
  for (const at::Tensor& gradient : gradients_of([&](const LossBatch& b) { return pearson(b, recipe); }, batch)) {
    EXPECT_EQ(gradient.abs().max().item<double>(), 0);
  }
}

TEST(Pearson, WantsTwoRows) {
  LossBatch batch;
  batch.queries = batch.positives = at::ones({1, 4});
  batch.scores = at::ones({1});
  expect_error(ErrorKind::kInvalidInput, "'pearson' needs at least 2 rows, the batch has 1",
               [&] { pearson(batch, loss_recipe("pearson")); });
}

}  // namespace
}  // namespace jina::test
