#pragma once

#include "training/losses/loss.h"

namespace jina {

/// CoSENT over all pairs of texts of the batch, target 1 within a class and 0 across: every similarity within a class
/// should exceed every similarity across. Texts are the queries, and the positives when there, which share their
/// query's label. O(texts²) instead of the O(texts⁴) of the definition. Zero, without gradient, where one kind of pair
/// is absent.
at::Tensor separation(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
