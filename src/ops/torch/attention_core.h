#pragma once

#include <cstddef>
#include <cstdint>

namespace jina {

/// Elements of one head in consecutive tokens, `stride` bytes from token to token.
struct HeadRows {
  std::byte* data = nullptr;
  int64_t stride = 0;
};

/// Attention of one head within one row. What is read and written: query, key, value → out, sums; for the gradient all
/// of these and out_gradient → query_gradient, key_gradient, value_gradient.
struct HeadCall {
  int64_t length = 0;  // tokens of the row
  int64_t width = 0;   // elements of the head
  double scale = 0;
  double slope = 0;                         // score += -slope |i - j|
  const float* cosines = nullptr;           // (length, width / 2) rotary positions of query and key; null: none
  const float* sines = nullptr;             // as cosines
  HeadRows query{}, key{}, value{}, out{};  // (length, width) each
  std::byte* sums = nullptr;                // (length) logarithms of the softmax sums, of the type computed in
  HeadRows out_gradient{}, query_gradient{}, key_gradient{}, value_gradient{};
};

/// Attention for elements of one type, computed in f32, or f64 for f64. Scores exist for a block of queries and keys at
/// a time. Each result is a function of its row alone.
struct HeadKernels {
  /// Bytes of `scratch` for the calls below.
  int64_t (*scratch_bytes)(int64_t length, int64_t width, bool is_backward);
  void (*forward)(const HeadCall& call, std::byte* scratch);
  void (*backward)(const HeadCall& call, std::byte* scratch);
};

/// The kernels of one instruction set.
struct AttentionCore {
  HeadKernels f32;
  HeadKernels bf16;
  HeadKernels f64;
};

extern const AttentionCore kAttentionCoreBaseline;
extern const AttentionCore kAttentionCoreAvx2;    // needs avx2 and fma
extern const AttentionCore kAttentionCoreAvx512;  // needs avx512f, bw, dq, vl

/// The fastest that this processor runs.
const AttentionCore& best_attention_core();

}  // namespace jina
