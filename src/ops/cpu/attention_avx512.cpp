#include "ops/cpu/attention_zmm.h"

namespace jina {
namespace {

using Element = float;
constexpr int kPair = 1;
constexpr int64_t kKeyBlock = 64;

JINA_DEFINE_TILES("vfmadd231ps")

void rotate_row(const float* from, int64_t half, const float* cosines, const float* sines, float* to) {
  for (int64_t i = 0; i < half; i += 16) {
    const __mmask16 mask = first(half - i);
    const V x = _mm512_maskz_loadu_ps(mask, from + i), y = _mm512_maskz_loadu_ps(mask, from + half + i);
    const V c = _mm512_maskz_loadu_ps(mask, cosines + i), s = _mm512_maskz_loadu_ps(mask, sines + i);
    _mm512_mask_storeu_ps(to + i, mask, x * c - y * s);
    _mm512_mask_storeu_ps(to + half + i, mask, y * c + x * s);
  }
}

void pack_value_rows(const float* row, const float*, int64_t dim, int64_t width, void* to) {
  for (int64_t d = 0; d < width; d += 16) {
    _mm512_mask_storeu_ps(static_cast<float*>(to) + d, first(width - d),
                          _mm512_maskz_loadu_ps(first(dim - d), row + d));
  }
}

float square_sum(const float* row, int64_t dim) {
  V sum = _mm512_setzero_ps();
  for (int64_t d = 0; d < dim; d += 16) {
    const V x = _mm512_maskz_loadu_ps(first(dim - d), row + d);
    sum = fma(x, x, sum);
  }
  return _mm512_reduce_add_ps(sum);
}

V add_squares(V sum, V x) { return fma(x, x, sum); }

/// Scores (key, query) become weights in place.
template <int kVectors>
void weigh(float* scores, int64_t keys, float factor, const float* offsets, float* sums) {
  V sum[kVectors], offset[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = load(sums + kLanes * v);
    offset[v] = load(offsets + kLanes * v);
  }
  for (float* at = scores; at < scores + keys * kVectors * kLanes; at += kVectors * kLanes) {
    V x[kVectors];
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) x[v] = _mm512_fmsub_ps(load(at + kLanes * v), broadcast(factor), offset[v]);
    raise_to_power<5>(x);
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      store(at + kLanes * v, x[v]);
      sum[v] = sum[v] + x[v];
    }
  }
  for (int v = 0; v < kVectors; ++v) store(sums + kLanes * v, sum[v]);
}

void write_results(const float* results, const float* factors, int64_t lanes, int64_t rows, int64_t dim, float* out,
                   int64_t stride) {
  const auto write = [](float* to, __mmask16 mask, V x) { _mm512_mask_storeu_ps(to, mask, x); };
  transpose_results(results, factors, lanes, rows, dim, out, stride, write);
}

}  // namespace
}  // namespace jina

#include "ops/cpu/attention_block.h"

namespace jina {

const AttentionKernels kAttentionAvx512 = {kMaxLanes, kKeyBlock, packed_bytes, scratch_bytes, pack, attend};

}  // namespace jina
