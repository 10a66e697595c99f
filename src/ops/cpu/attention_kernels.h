#pragma once

#include <cstdint>

// Only plain types here: files compiled for one instruction set include this header (see cmake/JinaFlags.cmake).

namespace jina {

/// One head of one row, as the kernels see it. Strides are in elements from token to token.
struct AttentionHead {
  const void* query;  // (tokens, dim) of this row and head
  const void* key;
  const void* value;
  void* out;  // may be the query's own memory: a block of queries is read whole before its results are written
  int64_t query_stride, key_stride, value_stride, out_stride;
  int64_t tokens, dim;
  float scale;           // on q k^T; positive
  float slope;           // ALiBi, 0: none
  const float* cosines;  // (tokens, dim / 2) rotary tables; null: none
  const float* sines;
  int64_t ahead;  // bytes from this head's query, key and value to those needed next, to be prefetched; 0: none
  void* packed;   // keys and values in the kernels' layout, packed_bytes(tokens, dim), 64-byte aligned
};

/// Flash attention (Dao et al. 2022) for one element type and instruction set. A head is packed once, then its blocks
/// of queries are independent of each other.
struct AttentionKernels {
  int64_t query_block;  ///< queries of one call of attend
  int64_t key_block;    ///< slices of pack begin at multiples of this
  int64_t (*packed_bytes)(int64_t tokens, int64_t dim);
  int64_t (*scratch_bytes)(int64_t dim);
  /// Packs keys and values of tokens [begin, end), rotated where tables are given.
  void (*pack)(const AttentionHead& head, int64_t begin, int64_t end);
  /// Writes the results of queries [begin, min(begin + query_block, tokens)); scratch is 64-byte aligned.
  void (*attend)(const AttentionHead& head, int64_t begin, void* scratch);
};

/// One tile of a product inside the kernels: rows of dwords (one f32, or a pair of bf16) at `a`, `row` bytes apart and
/// `step` bytes from one to the next of `steps` steps, times vectors at `b`.
struct AttentionTile {
  const void* a;
  const void* b;
  int64_t row, step, steps;
};

extern const AttentionKernels kAttentionBaseline;    ///< f32, any processor
extern const AttentionKernels kAttentionAvx2;        ///< f32
extern const AttentionKernels kAttentionAvx512;      ///< f32
extern const AttentionKernels kAttentionAvx512Bf16;  ///< bf16 in and out, f32 inside

}  // namespace jina
