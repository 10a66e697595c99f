#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

at::Tensor nested(const LossBatch& batch, const LossRecipe& recipe, const std::vector<int64_t>& sizes) {
  return matryoshka(find_loss(recipe.name), batch, recipe, sizes);
}

TEST(Matryoshka, EqualsTheGolden) {
  LossBatch batch = golden_batch();
  batch.negatives = at::Tensor();
  EXPECT_NEAR(nested(batch, loss_recipe("info_nce"), {2, 4, 8}).item<double>(),
              golden_value("matryoshka bi-infonce dims[2,4,8] w=1 tau=0.05"), 1e-9);
}

TEST(Matryoshka, IsTheSumOverBatchesCutByHand) {
  const LossBatch batch = full_batch(false);
  for (const char* name : {"info_nce", "relational", "cosent", "separation", "gor"}) {
    double expected = 0;
    for (const int64_t size : {2, 5}) {
      LossBatch cut = batch;
      cut.queries = batch.queries.narrow(1, 0, size).clone();
      cut.positives = batch.positives.narrow(1, 0, size).clone();
      cut.negatives = batch.negatives.narrow(2, 0, size).clone();
      expected += loss_value(cut, loss_recipe(name));
    }
    EXPECT_NEAR(nested(batch, loss_recipe(name), {2, 5}).item<double>(), expected, 1e-12) << name;
  }
}

TEST(Matryoshka, NoSizesOrTheFullOneIsTheLossItself) {
  const LossBatch batch = full_batch(false);
  const LossRecipe recipe = loss_recipe("info_nce");
  EXPECT_EQ(nested(batch, recipe, {}).item<double>(), loss_value(batch, recipe));
  EXPECT_EQ(nested(batch, recipe, {6}).item<double>(), loss_value(batch, recipe));
  EXPECT_NE(nested(batch, recipe, {5}).item<double>(), loss_value(batch, recipe));
}

TEST(Matryoshka, LossesWithoutPrefixesSeeTheFullWidthOnce) {
  const LossBatch batch = full_batch(false);
  for (const char* name : {"cosine", "mse", "late_interaction", "kl_dense_late", "layer_states"}) {
    EXPECT_EQ(nested(batch, loss_recipe(name), {2, 4, 6}).item<double>(), loss_value(batch, loss_recipe(name))) << name;
  }
}

TEST(Matryoshka, GradientOfTheSum) {
  const LossRecipe recipe = loss_recipe("info_nce", 0.3);
  gradient_check([&](const LossBatch& b) { return nested(b, recipe, {2, 3, 6}); }, full_batch(false));
}

TEST(Matryoshka, RejectsSizesOutsideTheWidthAndWidthsThatDiffer) {
  LossBatch batch = full_batch(false);
  const LossRecipe recipe = loss_recipe("info_nce");
  expect_error(ErrorKind::kInvalidInput, "matryoshka: expected sizes from 1 to 6, found 7", [&] {
    nested(batch, recipe, {2, 7});
  });
  expect_error(ErrorKind::kInvalidInput, "found 0", [&] { nested(batch, recipe, {0}); });
  batch.positives = random_tensor(1, {5, 8});
  expect_error(ErrorKind::kInvalidInput, "column positive: expected vectors of width 6, found shape (5, 8)",
               [&] { nested(batch, recipe, {2}); });
}

}  // namespace
}  // namespace jina::test
