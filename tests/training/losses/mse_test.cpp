#include "training/losses/mse.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(Mse, IsTheMeanSquaredDifferenceOfPlainVectors) {
  LossBatch batch;
  batch.queries = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble).reshape({2, 2});
  batch.teacher_queries = at::tensor({1.0, 0.0, 3.0, 7.0}, at::kDouble).reshape({2, 2});
  EXPECT_DOUBLE_EQ(loss_value(batch, loss_recipe("mse")), (4.0 + 9.0) / 4);
  batch.positives = batch.queries;
  batch.teacher_positives = batch.queries + 1;
  EXPECT_DOUBLE_EQ(loss_value(batch, loss_recipe("mse")), (4.0 + 9.0 + 4.0) / 8);
}

TEST(Mse, WantsTheTeachersWidth) {
  LossBatch batch = full_batch(false);
  batch.teacher_queries = random_tensor(1, {5, 9});
  batch.teacher_positives = random_tensor(1, {5, 9});
  expect_error(ErrorKind::kInvalidInput, "loss 'mse' compares vectors of one width",
               [&] { mse(batch, loss_recipe("mse")); });
}

}  // namespace
}  // namespace jina::test
