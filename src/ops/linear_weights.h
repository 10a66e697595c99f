#pragma once

#include "ops/backend.h"

namespace jina {

/// Errors kModelFile: the weight is no matrix, or the bias or an adapter does not fit it.
void check_linear(const LinearWeights& weights);

}  // namespace jina
