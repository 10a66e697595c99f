#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Global orthogonal regularisation (Zhang et al. 2017, arXiv 1708.06320): different texts should be as far apart as
/// random directions, whose cosines have mean 0 and second moment 1 / dimensions. Over queries, and over positives when
/// there; the mean of both.
at::Tensor gor(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
