#include "training/losses/margin_mse.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(MarginMse, EqualsTheDefinition) {
  const LossBatch batch = full_batch(true);
  double sum = 0;
  for (int64_t i = 0; i < 5; ++i) {
    const at::Tensor documents = at::cat({batch.positives[i].unsqueeze(0), batch.negatives[i]});
    const at::Tensor s = cosines(batch.queries[i].unsqueeze(0), documents);  // (1, 3)
    for (int64_t k = 1; k < 3; ++k) {
      const double teacher = element(batch.scores, i, 0) - element(batch.scores, i, k);
      sum += std::pow(4 * (element(s, 0, 0) - element(s, 0, k)) - teacher, 2);
    }
  }
  EXPECT_NEAR(loss_value(batch, loss_recipe("margin_mse", 0.05, {{"scale", 4}})), sum / 10, 1e-12);
}

TEST(MarginMse, OneScoreARowIsTheMargin) {
  LossBatch batch = full_batch(true);
  batch.negatives = batch.negatives.narrow(1, 0, 1);
  batch.scores = batch.scores.narrow(1, 0, 2);
  const double value = loss_value(batch, loss_recipe("margin_mse"));
  batch.scores = batch.scores.select(1, 0) - batch.scores.select(1, 1);
  EXPECT_NEAR(loss_value(batch, loss_recipe("margin_mse")), value, 1e-12);
}

TEST(MarginMse, WantsAScoreForEachDocument) {
  const LossBatch batch = full_batch(false);
  expect_error(ErrorKind::kInvalidInput, "column score: expected shape (5, 3), found (5)",
               [&] { margin_mse(batch, loss_recipe("margin_mse")); });
}

}  // namespace
}  // namespace jina::test
