#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "models/content.h"

namespace jina {

/// E[x x'] of what enters each layer, x with a 1 behind it so that biases count: (layers) of
/// (hidden + 1, hidden + 1) float64.
using InputMoments = std::vector<at::Tensor>;

/// The moments over the tokens of `texts`, each cut to `max_tokens`, as the encoder computes without its positions.
/// `directory` is where it came from. Error kInvalidInput when there are no texts.
InputMoments input_moments(const EncoderTensors& encoder, const ModelDirectory& directory,
                           const std::vector<std::string>& texts, int64_t max_tokens);

/// Where the energy of attention scores lies, mean over layers and heads: the share of the slower half of the pairs of
/// dimensions that rotary positions turn.
struct HeadEnergy {
  double slow_before = 0;
  double slow_after = 0;
};

/// Rewrites query and key of every head so that their scores stay what they are while most of their energy lies in the
/// dimensions that rotary positions turn least. Fast pairs turn by up to one radian a token, which destroys matching of
/// content that happens to lie there.
///
/// Per head, with Cq = E[q q'] = Lq Lq', Ck = Lk Lk' and Lq' Lk = U S V': T = S^1/2 U' Lq^-1 gives E[Tq (Tq)'] = S and
/// E[T^-T k (T^-T k)'] = S, and (Tq)'(T^-T k) = q'k. The directions are then laid out with the strongest on the slowest
/// pair (pair i holds dimensions i and i + width / 2 and turns by base^(-2i / width)).
HeadEnergy align_heads(EncoderTensors& encoder, int64_t heads, const InputMoments& moments);

}  // namespace jina
