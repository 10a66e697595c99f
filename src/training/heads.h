#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "training/parameters.h"

namespace jina {

/// Guesses words from hidden states: a dense layer with GELU and LayerNorm, then the word table itself and a bias (the
/// lm_head of RoBERTa, Liu et al. 2019; names as there). New ones start as the reference does: normal with deviation
/// 0.02, norm 1, biases 0.
class WordHead {
 public:
  /// Error kUnsupported when the store has no word table of `vocabulary` rows.
  WordHead(ParameterStore& store, int64_t vocabulary, uint64_t seed);
  /// states: (places, hidden) → (places, vocabulary) in `type` but for the sums
  at::Tensor operator()(const at::Tensor& states, at::ScalarType type) const;

 private:
  at::Tensor table_, dense_, dense_bias_, scale_, shift_, bias_;
};

/// Token vectors for late interaction: a linear layer to `width`, then unit length (Khattab and Zaharia 2020).
class TokenHead {
 public:
  TokenHead(ParameterStore& store, int64_t hidden, int64_t width, uint64_t seed);
  /// states: (tokens, hidden) → (tokens, width)
  at::Tensor operator()(const at::Tensor& states, at::ScalarType type) const;

 private:
  at::Tensor weight_, bias_;
};

}  // namespace jina
