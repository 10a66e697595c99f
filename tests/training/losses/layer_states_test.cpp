#include "training/losses/layer_states.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(LayerStates, IsTheMeanOverLayersOfTheRelativeError) {
  LossBatch batch;
  batch.layers = {at::tensor({1.0, 2.0, 2.0}, at::kDouble).reshape({1, 3}), at::zeros({1, 3}, at::kDouble)};
  batch.teacher_layers = {at::tensor({1.0, 2.0, 4.0}, at::kDouble).reshape({1, 3}), at::full({1, 3}, 9.0, at::kDouble)};
  EXPECT_DOUBLE_EQ(loss_value(batch, loss_recipe("layer_states")), (4.0 / 21 + 1) / 2);
}

TEST(LayerStates, ScaleDoesNotMatterButTheTeacherDoes) {
  LossBatch batch = full_batch(false);
  const double value = loss_value(batch, loss_recipe("layer_states"));
  batch.layers[1] = 100 * batch.layers[1];
  EXPECT_NE(loss_value(batch, loss_recipe("layer_states")), value);
  batch.teacher_layers[1] = 100 * batch.teacher_layers[1];
  EXPECT_NEAR(loss_value(batch, loss_recipe("layer_states")), value, 1e-12);
}

TEST(LayerStates, WantsLayersThatMatch) {
  LossBatch batch = full_batch(false);
  batch.layers[0] = random_tensor(1, {7, 4});
  expect_error(ErrorKind::kInvalidInput, "column layers: expected shape (7, 3), found (7, 4)",
               [&] { layer_states(batch, loss_recipe("layer_states")); });
  batch.layers.pop_back();
  expect_error(ErrorKind::kInvalidInput, "the model has 1, the teacher 2",
               [&] { layer_states(batch, loss_recipe("layer_states")); });
}

}  // namespace
}  // namespace jina::test
