#include "training/losses/cosine.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor cosine(const LossBatch& batch, const LossRecipe& recipe) {
  check_inputs("cosine", batch, recipe);
  const TaughtRows rows = taught_rows("cosine", batch);
  need_same_width("cosine", rows);
  return 1 - (unit_rows(rows.student) * unit_rows(rows.teacher)).sum(1).mean();
}

}  // namespace jina
