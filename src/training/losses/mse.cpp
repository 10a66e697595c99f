#include "training/losses/mse.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"

namespace jina {

at::Tensor mse(const LossBatch& batch, const LossRecipe& recipe) {
  check_inputs("mse", batch, recipe);
  const TaughtRows rows = taught_rows("mse", batch);
  need_same_width("mse", rows);
  return at::mse_loss(rows.student, rows.teacher);
}

}  // namespace jina
