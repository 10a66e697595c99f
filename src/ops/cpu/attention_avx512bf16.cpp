#include "ops/cpu/attention_zmm.h"

namespace jina {
namespace {

using Element = uint16_t;
constexpr int kPair = 2;
constexpr int64_t kKeyBlock = 128;

JINA_DEFINE_TILES("vdpbf16ps")

inline V widen(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
inline __m256i narrow(V x) { return (__m256i)_mm512_cvtneps_pbh(x); }

void rotate_row(const uint16_t* from, int64_t half, const float* cosines, const float* sines, uint16_t* to) {
  for (int64_t i = 0; i < half; i += 16) {
    const __mmask16 mask = first(half - i);
    const V x = widen(_mm256_maskz_loadu_epi16(mask, from + i)),
            y = widen(_mm256_maskz_loadu_epi16(mask, from + half + i));
    const V c = _mm512_maskz_loadu_ps(mask, cosines + i), s = _mm512_maskz_loadu_ps(mask, sines + i);
    _mm256_mask_storeu_epi16(to + i, mask, narrow(x * c - y * s));
    _mm256_mask_storeu_epi16(to + half + i, mask, narrow(y * c + x * s));
  }
}

/// Two tokens interleaved, so that a dword holds a pair along the inner dimension of weights times values.
void pack_value_rows(const uint16_t* row, const uint16_t* second, int64_t dim, int64_t width, void* to) {
  for (int64_t d = 0; d < width; d += 16) {
    const __mmask16 mask = first(dim - d);
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row + d));
    const __m512i high =
        _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(second != nullptr ? mask : __mmask16{0}, second + d));
    _mm512_mask_storeu_epi32(static_cast<uint32_t*>(to) + d, first(width - d),
                             _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
}

float square_sum(const uint16_t* row, int64_t dim) {
  V sum = _mm512_setzero_ps();
  for (int64_t d = 0; d < dim; d += 16) {
    const V x = widen(_mm256_maskz_loadu_epi16(first(dim - d), row + d));
    sum = fma(x, x, sum);
  }
  return _mm512_reduce_add_ps(sum);
}

V add_squares(V sum, V pairs) { return _mm512_dpbf16_ps(sum, (__m512bh)pairs, (__m512bh)pairs); }

/// Scores (key, query) become weights, pairs of keys in one dword, at the front of the same memory. The denominator
/// sums the rounded weights, so that the result is a true weighted mean of the values.
template <int kVectors>
void weigh(float* scores, int64_t keys, float factor, const float* offsets, float* sums) {
  constexpr int64_t kWidth = kVectors * kLanes;
  alignas(64) static constexpr uint16_t kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                           21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                           11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i interleave = _mm512_load_si512(kInterleave);
  const auto ones = (__m512bh)_mm512_set1_epi16(0x3F80);
  V sum[kVectors], offset[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = load(sums + kLanes * v);
    offset[v] = load(offsets + kLanes * v);
  }
  const float* at = scores;
  float* to = scores;
  for (int64_t key = 0; key < keys; key += 2, at += 2 * kWidth, to += kWidth) {
    V x[2 * kVectors];
#pragma GCC unroll 6
    for (int v = 0; v < 2 * kVectors; ++v)
      x[v] = _mm512_fmsub_ps(load(at + kLanes * v), broadcast(factor), offset[v % kVectors]);
    raise_to_power<3>(x);
    const __mmask16 has_second = key + 1 < keys ? 0xFFFF : 0;
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const __m512bh pair = _mm512_cvtne2ps_pbh(_mm512_maskz_mov_ps(has_second, x[v + kVectors]), x[v]);
      const __m512i pairs = _mm512_permutexvar_epi16(interleave, (__m512i)pair);
      sum[v] = _mm512_dpbf16_ps(sum[v], (__m512bh)pairs, ones);
      _mm512_store_si512(to + kLanes * v, pairs);
    }
  }
  for (int v = 0; v < kVectors; ++v) store(sums + kLanes * v, sum[v]);
}

void write_results(const float* results, const float* factors, int64_t lanes, int64_t rows, int64_t dim, uint16_t* out,
                   int64_t stride) {
  const auto write = [](uint16_t* to, __mmask16 mask, V x) { _mm256_mask_storeu_epi16(to, mask, narrow(x)); };
  transpose_results(results, factors, lanes, rows, dim, out, stride, write);
}

}  // namespace
}  // namespace jina

#include "ops/cpu/attention_block.h"

namespace jina {

const AttentionKernels kAttentionAvx512Bf16 = {kMaxLanes, kKeyBlock, packed_bytes, scratch_bytes, pack, attend};

}  // namespace jina
