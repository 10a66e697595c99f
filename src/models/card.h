#pragma once

#include "jina/types.h"
#include "nn/pooling.h"

namespace jina {

/// What a model is and how it is to be used; filled by the model's own folder from its files. The rest of the program
/// reads the card, never the name.
struct ModelCard : ModelInfo {
  Pooling pooling_kind = Pooling::kMean;
  int64_t linear_weights = 0;  ///< values in the weights of all linear layers: 2 FLOPs each per token
  int64_t vocabulary = 0;      ///< rows of the word table; token ids must be below
};

}  // namespace jina
