#include "training/losses/margin_mse.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

/// What the teacher's scores say about each negative. (rows, negatives)
at::Tensor teacher_margins(const LossBatch& batch) {
  const int64_t rows = batch.negatives.size(0), negatives = batch.negatives.size(1);
  const at::Tensor scores = at_least_f32(batch.scores.detach());
  if (scores.dim() == 1 && negatives == 1) return scores.unsqueeze(1);
  need_shape("margin_mse", "score", scores, {rows, 1 + negatives});
  return scores.narrow(1, 0, 1) - scores.narrow(1, 1, negatives);
}

}  // namespace

at::Tensor margin_mse(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("margin_mse", batch, recipe);
  const at::Tensor scores = document_scores(batch);                                             // (rows, 1 + negatives)
  const at::Tensor margins = scores.narrow(1, 0, 1) - scores.narrow(1, 1, scores.size(1) - 1);  // (rows, negatives)
  return at::mse_loss(settings.at("scale") * margins, teacher_margins(batch).to(margins.scalar_type()));
}

}  // namespace jina
