#include "training/losses/cosine.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(CosineDistillation, IsTheMeanAngleToTheTeacher) {
  const LossBatch batch = full_batch(false);
  const at::Tensor all = at::cat({cosines(batch.queries, batch.teacher_queries).diagonal(),
                                  cosines(batch.positives, batch.teacher_positives).diagonal()});
  EXPECT_NEAR(loss_value(batch, loss_recipe("cosine")), 1 - all.mean().item<double>(), 1e-12);
}

TEST(CosineDistillation, LengthsDoNotMatter) {
  LossBatch batch;
  batch.queries = random_tensor(1, {4, 6});
  batch.teacher_queries = 3 * batch.queries;
  EXPECT_NEAR(loss_value(batch, loss_recipe("cosine")), 0, 1e-12);
  batch.teacher_queries = -batch.queries;
  EXPECT_NEAR(loss_value(batch, loss_recipe("cosine")), 2, 1e-12);
}

TEST(CosineDistillation, WantsTheTeachersWidthAndAllItsVectors) {
  LossBatch batch = full_batch(false);
  batch.teacher_positives = at::Tensor();
  expect_error(ErrorKind::kInvalidInput, "loss 'cosine' needs column teacher_positive",
               [&] { cosine(batch, loss_recipe("cosine")); });
  batch.positives = at::Tensor();
  batch.teacher_queries = random_tensor(1, {5, 9});
  expect_error(ErrorKind::kInvalidInput, "the model's have 6 dimensions, the teacher's 9",
               [&] { cosine(batch, loss_recipe("cosine")); });
}

}  // namespace
}  // namespace jina::test
