#pragma once

#include "training/losses/loss.h"

namespace jina {

/// ln(1 + sum over i, j with score_i > score_j of exp((s_j - s_i) / temperature)), in O(n log n).
/// `similarities` and `scores` (rows), of one floating dtype; equal scores make no pair.
at::Tensor cosent_of(const at::Tensor& similarities, const at::Tensor& scores, double temperature);

/// CoSENT on the cosines of query and positive.
at::Tensor cosent(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
