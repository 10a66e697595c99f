#pragma once

#include <vector>

#include "ops/backend.h"

namespace jina {

/// Several linear layers on one input as one: weights, biases and adapters stacked (adapters become block-diagonal).
LinearWeights fuse(std::vector<LinearWeights> parts);

}  // namespace jina
