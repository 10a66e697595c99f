#include "training/losses/gor.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

double with_weights(const LossBatch& batch, double mean, double second) {
  return loss_value(batch, loss_recipe("gor", 0.05, {{"mean_weight", mean}, {"second_moment_weight", second}}));
}

TEST(Gor, EqualsTheGolden) {
  LossBatch batch;
  batch.queries = golden_batch().queries;
  const at::Tensor golden = golden_list("gor Q (mean^2, relu(M2-1/d))");
  EXPECT_NEAR(with_weights(batch, 1, 0), element(golden, 0), 1e-9);
  EXPECT_NEAR(with_weights(batch, 0, 1), element(golden, 1), 1e-9);
}

TEST(Gor, EqualVectorsHaveBothTermsAndOrthogonalOnesNone) {
  LossBatch batch;
  batch.queries = at::ones({3, 4}, at::kDouble);
  EXPECT_NEAR(with_weights(batch, 1, 0), 1, 1e-12);
  EXPECT_NEAR(with_weights(batch, 0, 1), 1 - 1.0 / 4, 1e-12);
  EXPECT_NEAR(with_weights(batch, 2, 3), 2 + 3 * 0.75, 1e-12);
  batch.queries = at::eye(4, at::kDouble);
  EXPECT_NEAR(loss_value(batch, loss_recipe("gor")), 0, 1e-12);
}

TEST(Gor, IsTheMeanOfQueriesAndPositives) {
  LossBatch batch, queries, positives;
  batch.queries = queries.queries = random_tensor(1, {5, 3});
  batch.positives = positives.queries = random_tensor(2, {5, 3}) + 3;
  const LossRecipe recipe = loss_recipe("gor");
  EXPECT_NEAR(loss_value(batch, recipe), (loss_value(queries, recipe) + loss_value(positives, recipe)) / 2, 1e-12);
  EXPECT_GT(loss_value(positives, recipe), loss_value(queries, recipe));
  EXPECT_GT(with_weights(positives, 0, 1), 0.01);  // the gradient below goes through both terms
  gradient_check(recipe, positives);
}

TEST(Gor, WantsTwoRows) {
  LossBatch batch;
  batch.queries = at::ones({1, 3});
  expect_error(ErrorKind::kInvalidInput, "'gor' needs at least 2 rows, the batch has 1",
               [&] { gor(batch, loss_recipe("gor")); });
}

}  // namespace
}  // namespace jina::test
