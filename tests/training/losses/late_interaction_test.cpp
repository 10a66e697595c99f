#include "training/losses/late_interaction.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"
#include "training/losses/max_sim.h"
#include "training/losses/rows.h"

namespace jina::test {
namespace {

LossRecipe dense_recipe() { return loss_recipe("info_nce", 0.02, {{"directions", 1}}); }

LossBatch golden_pairs() {
  LossBatch batch = golden_batch();
  batch.negatives = at::Tensor();
  return batch;
}

TEST(LateInteraction, EqualsTheGolden) {
  const LossBatch batch = golden_pairs();
  const at::Tensor scores = max_sim({unit_rows(batch.query_tokens.vectors), batch.query_tokens.offsets},
                                    {unit_rows(batch.positive_tokens.vectors), batch.positive_tokens.offsets}, "test");
  EXPECT_LE(max_difference(scores[0], golden_list("late row0")), 1e-9);
  EXPECT_NEAR(loss_value(batch, loss_recipe("late_interaction", 0.02)), golden_value("nce late tau=0.02"), 1e-9);
  EXPECT_NEAR(loss_value(batch, dense_recipe()), golden_value("nce dense tau=0.02"), 1e-9);
}

TEST(LateInteraction, DivergenceFromTheDenseHeadEqualsTheGolden) {
  EXPECT_NEAR(loss_value(golden_pairs(), loss_recipe("kl_dense_late", 0.02)),
              golden_value("KL(dense||late) tau=0.02 batchmean"), 1e-9);
}

TEST(LateInteraction, TheJointLossIsTheSumOfThree) {
  const LossBatch batch = golden_pairs();
  const double joint = loss_value(batch, dense_recipe()) + loss_value(batch, loss_recipe("late_interaction", 0.02)) +
                       loss_value(batch, loss_recipe("kl_dense_late", 0.02));
  EXPECT_NEAR(joint, golden_value("v4 joint w=1 (text only)"), 1e-9);
}

TEST(LateInteraction, BothWaysIsMoreThanOne) {
  const LossBatch batch = full_batch(false);
  const double one = loss_value(batch, loss_recipe("late_interaction", 0.1));
  const double both = loss_value(batch, loss_recipe("late_interaction", 0.1, {{"directions", 2}}));
  EXPECT_GT(both, one);
  gradient_check(loss_recipe("late_interaction", 0.1, {{"directions", 2}}), batch);
}

TEST(LateInteraction, EqualTokensGiveTheLogarithmOfTheBatch) {
  LossBatch batch = full_batch(false);
  batch.query_tokens.vectors = at::ones({9, 4}, at::kDouble);
  batch.positive_tokens.vectors = at::ones({14, 4}, at::kDouble);
  EXPECT_NEAR(loss_value(batch, loss_recipe("late_interaction", 0.02)), std::log(5), 1e-12);
}

TEST(LateInteraction, ADetachedDenseHeadGetsNoGradient) {
  const LossBatch batch = full_batch(false);
  const auto gradients = [&](double detach) {
    const LossRecipe recipe = loss_recipe("kl_dense_late", 0.05, {{"detach_dense", detach}});
    return gradients_of([&](const LossBatch& b) { return kl_dense_late(b, recipe); }, batch);
  };
  const auto attached = gradients(0), detached = gradients(1);
  for (const size_t dense : {0, 1}) {
    EXPECT_GT(attached[dense].abs().max().item<double>(), 1e-3);
    EXPECT_EQ(detached[dense].abs().max().item<double>(), 0);
  }
  for (const size_t late : {3, 4}) EXPECT_LE(max_difference(attached[late], detached[late]), 1e-15);
}

TEST(LateInteraction, RejectsCountsThatDiffer) {
  LossBatch batch = full_batch(false);
  batch.query_tokens = {batch.query_tokens.vectors.narrow(0, 0, 7), {0, 1, 3, 6, 7}};
  expect_error(ErrorKind::kInvalidInput, "loss 'late_interaction': tokens of 4 queries and of 5 positives",
               [&] { late_interaction(batch, loss_recipe("late_interaction")); });
  batch.positive_tokens = {batch.positive_tokens.vectors.narrow(0, 0, 12), {0, 4, 5, 8, 12}};
  expect_error(ErrorKind::kInvalidInput, "column query_tokens and query: expected shape (5, 5), found (4, 4)",
               [&] { kl_dense_late(batch, loss_recipe("kl_dense_late")); });
}

}  // namespace
}  // namespace jina::test
