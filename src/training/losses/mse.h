#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of vectors: the mean squared difference to the teacher's vectors, both as pooled, not normalised.
at::Tensor mse(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
