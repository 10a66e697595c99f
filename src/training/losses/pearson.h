#pragma once

#include "training/losses/loss.h"

namespace jina {

/// 1 - Pearson's correlation of the cosines of query and positive with the scores. Where either side is constant there
/// is no correlation: 1, without gradient when it is the scores.
at::Tensor pearson(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
