#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of margins (Hofstätter et al., arXiv 2010.02666): the mean squared difference between scale * (cosine
/// of the positive - cosine of a negative) and the same of the teacher's scores. `scores` (rows, 1 + negatives),
/// positive first; or (rows), then they are the margins themselves and each row has one negative.
at::Tensor margin_mse(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
