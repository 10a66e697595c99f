#pragma once

#include "training/losses/loss.h"

namespace jina {

/// InfoNCE on late interaction scores, the mean over query tokens of the best inner product of unit token vectors
/// (arXiv 2506.18902, S'_late): query → positive, or both ways.
at::Tensor late_interaction(const LossBatch& batch, const LossRecipe& recipe);

/// KL divergence from the dense head's distribution over the batch's positives to that of the late interaction head,
/// the mean over queries (arXiv 2506.18902, L_D). `detach_dense`: the dense head is the teacher and gets no gradient;
/// the paper does not say.
at::Tensor kl_dense_late(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
