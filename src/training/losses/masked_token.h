#pragma once

#include <ATen/core/Tensor.h>

namespace jina {

/// Cross entropy of masked language modelling: the mean over masked positions, in at least f32; 0 when there are none.
/// `logits` (positions, vocabulary), of the masked positions only; `targets` (positions) int64, the true token ids.
at::Tensor masked_token_loss(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace jina
