#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of similarities, whatever the teacher's width: the mean over texts of the KL divergence between the
/// teacher's and the model's distribution over the other texts of the batch. A text's similarity to itself is left out:
/// it is 1 for every model and would take nearly all of the softmax. With the untrained model as the teacher it keeps a
/// model near what it was.
at::Tensor relational(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
