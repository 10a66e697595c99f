#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace jina {

/// What attention over packed rows needs besides query, key and value.
struct TorchAttention {
  std::vector<int64_t> offsets;  // (rows + 1)
  int64_t heads = 0;
  double scale = 0;
  at::Tensor slopes;  // (heads) f32 on the device, or undefined: score += -slope |i - j|
  /// Products and softmax one by one in place of the fused kernel, which only the CPU has.
  bool is_unfused = false;
  /// Scores or biases of a block of queries that exist at a time: some MB.
  int64_t block_elements = 1 << 21;
};

/// softmax(scale q k^T + bias) v within each row, differentiable; query, key and value: (tokens, heads * head_dim) of
/// one type, any row stride. Only the logarithm of each softmax sum is kept for the gradient, scores are computed
/// again, in blocks of queries: memory grows with the tokens, not their squares (Dao 2023, FlashAttention-2).
/// Neighbouring rows of one length go through a kernel together, so callers sort rows by length.
at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const TorchAttention& options);

/// Half-rotated rotary positions (RotaryTables), differentiable. x: (tokens, heads * head_dim); cosines and sines:
/// (tokens, head_dim / 2), of the tokens' places.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines);

}  // namespace jina
