#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace jina {

/// What attention over packed rows needs besides query, key and value.
struct TorchAttention {
  std::vector<int64_t> offsets;  // (rows + 1)
  int64_t heads = 0;
  double scale = 0;
  at::Tensor slopes;              // (heads) f32 on the device, or undefined: score += -slope |i - j|
  at::Tensor cosines{}, sines{};  // (longest row or more, head_dim / 2) f32, or undefined: half-rotated positions
  /// Products and softmax one by one by libtorch, as on GPUs, in place of the kernel that only the CPU has.
  bool is_unfused = false;
  /// Unfused: scores of a block of queries that exist at a time, some MB.
  int64_t block_elements = 1 << 21;
};

/// softmax(scale q k^T + bias) v within each row, differentiable; query, key and value: (tokens, heads * head_dim) of
/// one type, any row stride. Only the logarithm of each softmax sum is kept for the gradient, scores are computed
/// again, in blocks of queries: memory grows with the tokens, not their squares (Dao 2023, FlashAttention-2).
at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const TorchAttention& options);

/// The same of query, key and value side by side, (tokens, 3 * heads * head_dim): one gradient, not three to be joined.
at::Tensor attend(const at::Tensor& fused, const TorchAttention& options);

/// What one pass reads and writes; all but the sums (tokens, heads * head_dim).
struct AttentionTensors {
  at::Tensor query{}, key{}, value{}, out{};
  at::Tensor sums{};  // (heads, tokens) logarithms of the softmax sums, f32 or f64
  at::Tensor out_gradient{}, query_gradient{}, key_gradient{}, value_gradient{};
};

// On the CPU: query, key, value → out, sums; and these and out_gradient → the other gradients.
void attend_heads(const TorchAttention& options, const AttentionTensors& tensors);
void attend_heads_backward(const TorchAttention& options, const AttentionTensors& tensors);
// On any device by libtorch's products; query and key rotated already.
void attend_unfused(const TorchAttention& options, const AttentionTensors& tensors);
void attend_unfused_backward(const TorchAttention& options, const AttentionTensors& tensors);

/// Half-rotated rotary positions (RotaryTables), differentiable. x: (tokens, heads * head_dim); cosines and sines:
/// (tokens, head_dim / 2), of the tokens' places.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines);

}  // namespace jina
