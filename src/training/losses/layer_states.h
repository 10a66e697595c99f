#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Distillation of hidden states: the mean over layers of the squared error relative to the teacher's squared length,
/// both summed over tokens and hidden units.
at::Tensor layer_states(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
