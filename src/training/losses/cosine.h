#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of vectors: the mean over texts of 1 - cosine to the teacher's vector of the same text.
at::Tensor cosine(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
