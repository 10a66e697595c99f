#pragma once

#include "training/recipe.h"

namespace jina {

/// Factor on the learning rate at step `step` (from 0) of `steps`. Warm-up: (step + 1) / warm-up steps, so that the
/// first step already moves. Then, with t from 0 at the first step after it to 1 at the last step: linear 1 - (1 - f)
/// t; cosine f + (1 - f) (1 + cos(pi t)) / 2 (Loshchilov and Hutter 2017); inverse square root sqrt(w / (step + 1)), w
/// the warm-up steps (Vaswani et al. 2017); f = final_share.
double schedule_factor(const OptimiserRecipe& recipe, int64_t step, int64_t steps);

}  // namespace jina
