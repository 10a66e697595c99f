#include "training/losses/distil_kl.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(DistilKl, EqualsTheDefinition) {
  const LossBatch batch = full_batch(true);
  double sum = 0;
  for (int64_t i = 0; i < 5; ++i) {
    const at::Tensor documents = at::cat({batch.positives[i].unsqueeze(0), batch.negatives[i]});
    const at::Tensor s = (cosines(batch.queries[i].unsqueeze(0), documents)[0] / 0.2).exp();  // (3)
    const at::Tensor t = (batch.scores[i] / 3).exp();                                         // (3)
    for (int64_t k = 0; k < 3; ++k) {
      const double p = element(t, k) / t.sum().item<double>(), q = element(s, k) / s.sum().item<double>();
      sum += p * std::log(p / q);
    }
  }
  EXPECT_NEAR(loss_value(batch, loss_recipe("distil_kl", 0.2, {{"teacher_temperature", 3}})), sum / 5, 1e-12);
}

TEST(DistilKl, IsZeroWhereTheTeacherAgrees) {
  LossBatch batch = full_batch(true);
  batch.scores = at::zeros({5, 3}, at::kFloat);
  batch.positives = at::zeros({5, 6}, at::kDouble);
  batch.negatives = at::zeros({5, 2, 6}, at::kDouble);
  EXPECT_NEAR(loss_value(batch, loss_recipe("distil_kl")), 0, 1e-15);
}

TEST(DistilKl, WantsAScoreForEachDocument) {
  const LossBatch batch = full_batch(false);
  expect_error(ErrorKind::kInvalidInput, "column score: expected shape (5, 3), found (5)",
               [&] { distil_kl(batch, loss_recipe("distil_kl")); });
}

}  // namespace
}  // namespace jina::test
