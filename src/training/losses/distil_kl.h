#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of scores: the mean over rows of the KL divergence between the teacher's distribution over positive and
/// negatives of the row and the model's. `scores` (rows, 1 + negatives), positive first, on the teacher's own scale.
at::Tensor distil_kl(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
