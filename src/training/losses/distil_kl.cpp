#include "training/losses/distil_kl.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor distil_kl(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("distil_kl", batch, recipe);
  const at::Tensor scores = document_scores(batch);  // (rows, 1 + negatives)
  need_shape("distil_kl", "score", batch.scores, scores.sizes());
  const at::Tensor target = batch.scores.detach().to(scores.scalar_type());  // (rows, 1 + negatives)
  return row_divergence(target / settings.at("teacher_temperature"), scores / settings.temperature);
}

}  // namespace jina
