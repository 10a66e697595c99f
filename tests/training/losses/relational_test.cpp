#include "training/losses/relational.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

double naive_relational(const at::Tensor& teacher, const at::Tensor& student, double temperature) {
  const at::Tensor t = (cosines(teacher, teacher) / temperature).exp(),
                   s = (cosines(student, student) / temperature).exp();
  double sum = 0;
  for (int64_t i = 0; i < t.size(0); ++i) {
    const double all_t = (t[i].sum() - t[i][i]).item<double>(), all_s = (s[i].sum() - s[i][i]).item<double>();
    for (int64_t j = 0; j < t.size(0); ++j) {
      const double p = element(t, i, j) / all_t, q = element(s, i, j) / all_s;
      if (i != j) sum += p * std::log(p / q);
    }
  }
  return sum / static_cast<double>(t.size(0));
}

TEST(Relational, EqualsTheDefinitionForATeacherOfAnotherWidth) {
  LossBatch batch = full_batch(false);
  batch.teacher_queries = random_tensor(1, {5, 9});
  batch.teacher_positives = random_tensor(2, {5, 9});
  const double expected = naive_relational(at::cat({batch.teacher_queries, batch.teacher_positives}),
                                           at::cat({batch.queries, batch.positives}), 0.3);
  EXPECT_NEAR(loss_value(batch, loss_recipe("relational", 0.3)), expected, 1e-11);
  EXPECT_GT(expected, 0.01);
}

TEST(Relational, IsZeroForARotatedTeacher) {
  LossBatch batch = full_batch(false);
  batch.positives = batch.teacher_positives = at::Tensor();
  batch.teacher_queries = 2 * batch.queries.flip({1});  // angles between texts are the same
  EXPECT_NEAR(loss_value(batch, loss_recipe("relational", 0.02)), 0, 1e-12);
  batch.teacher_queries = batch.queries.flip({0});
  EXPECT_GT(loss_value(batch, loss_recipe("relational", 0.02)), 0.1);
}

TEST(Relational, WantsTwoTexts) {
  LossBatch batch;
  batch.queries = batch.teacher_queries = at::ones({1, 3});
  expect_error(ErrorKind::kInvalidInput, "needs at least 2 texts, the batch has 1",
               [&] { relational(batch, loss_recipe("relational")); });
}

}  // namespace
}  // namespace jina::test
