#pragma once

// GCC 12 takes the deliberately undefined operands inside its own intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstdint>

#include "ops/cpu/attention_kernels.h"

// AVX-512 parts shared by f32 and bf16 attention. Included only by files of one instruction set, and all in an
// anonymous namespace, so that no other file can be linked to code compiled with their flags.
//
// The tile is inline assembly, written by macros because its 24 accumulators must be named: GCC 12 spills them when the
// same loop is written with intrinsics over an array (0.28 of peak instead of 0.9). A tile is 8 rows by V vectors; one
// step of its inner dimension is 8 broadcast dwords times V vectors. A dword is one f32, or a pair of bf16 for
// vdpbf16ps.

// The formatter does not settle on these macros.
// clang-format off

// X(row, vector, register) for each accumulator of 8 rows by 1, 2 or 3 vectors.
#define JINA_ACCUMULATORS_1(X) X(0, 0, 0) X(1, 0, 1) X(2, 0, 2) X(3, 0, 3) X(4, 0, 4) X(5, 0, 5) X(6, 0, 6) X(7, 0, 7)
#define JINA_ACCUMULATORS_2(X)                                                                                  \
  X(0, 0, 0) X(0, 1, 1) X(1, 0, 2) X(1, 1, 3) X(2, 0, 4) X(2, 1, 5) X(3, 0, 6) X(3, 1, 7) X(4, 0, 8) X(4, 1, 9) \
  X(5, 0, 10) X(5, 1, 11) X(6, 0, 12) X(6, 1, 13) X(7, 0, 14) X(7, 1, 15)
#define JINA_ACCUMULATORS_3(X)                                                                                  \
  X(0, 0, 0) X(0, 1, 1) X(0, 2, 2) X(1, 0, 3) X(1, 1, 4) X(1, 2, 5) X(2, 0, 6) X(2, 1, 7) X(2, 2, 8) X(3, 0, 9) \
  X(3, 1, 10) X(3, 2, 11) X(4, 0, 12) X(4, 1, 13) X(4, 2, 14) X(5, 0, 15) X(5, 1, 16) X(5, 2, 17) X(6, 0, 18)   \
  X(6, 1, 19) X(6, 2, 20) X(7, 0, 21) X(7, 1, 22) X(7, 2, 23)

#define JINA_EXTRA_0 "%%zmm28"  // running maxima of the scores, or factors of the earlier results
#define JINA_EXTRA_1 "%%zmm29"
#define JINA_EXTRA_2 "%%zmm30"

#define JINA_ZERO(row, vector, n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"
#define JINA_LOAD_BIAS(row, vector, n) "vmovups 64*" #vector "-4*" #row "(%[bias]), %%zmm" #n "\n\t"
#define JINA_LOAD_SCALED(row, vector, n) "vmulps 64*" #n "(%[out]), " JINA_EXTRA_##vector ", %%zmm" #n "\n\t"
#define JINA_RAISE_MAX(row, vector, n) "vmaxps %%zmm" #n ", " JINA_EXTRA_##vector ", " JINA_EXTRA_##vector "\n\t"
#define JINA_STORE(row, vector, n) "vmovaps %%zmm" #n ", 64*" #n "(%[out])\n\t"

#define JINA_LOAD_EXTRA_1 "vmovaps (%[extra]), %%zmm28\n\t"
#define JINA_LOAD_EXTRA_2 JINA_LOAD_EXTRA_1 "vmovaps 64(%[extra]), %%zmm29\n\t"
#define JINA_LOAD_EXTRA_3 JINA_LOAD_EXTRA_2 "vmovaps 128(%[extra]), %%zmm30\n\t"
#define JINA_STORE_EXTRA_1 "vmovaps %%zmm28, (%[extra])\n\t"
#define JINA_STORE_EXTRA_2 JINA_STORE_EXTRA_1 "vmovaps %%zmm29, 64(%[extra])\n\t"
#define JINA_STORE_EXTRA_3 JINA_STORE_EXTRA_2 "vmovaps %%zmm30, 128(%[extra])\n\t"

#define JINA_LOAD_1 "vmovaps (%[b]), %%zmm24\n\t"
#define JINA_LOAD_2 JINA_LOAD_1 "vmovaps 64(%[b]), %%zmm25\n\t"
#define JINA_LOAD_3 JINA_LOAD_2 "vmovaps 128(%[b]), %%zmm26\n\t"
#define JINA_FMA_1(fma, c0) fma " %%zmm24, %%zmm27, %%zmm" #c0 "\n\t"
#define JINA_FMA_2(fma, c0, c1) JINA_FMA_1(fma, c0) fma " %%zmm25, %%zmm27, %%zmm" #c1 "\n\t"
#define JINA_FMA_3(fma, c0, c1, c2) JINA_FMA_2(fma, c0, c1) fma " %%zmm26, %%zmm27, %%zmm" #c2 "\n\t"

#define JINA_ROW(address) "vbroadcastss " address ", %%zmm27\n\t"
#define JINA_ROW_0 JINA_ROW("(%[a])")
#define JINA_ROW_1 JINA_ROW("(%[a],%[row])")
#define JINA_ROW_2 JINA_ROW("(%[a],%[row],2)")
#define JINA_ROW_3 JINA_ROW("(%[a],%[row3])")
#define JINA_ROW_4 JINA_ROW("(%[a],%[row],4)")
#define JINA_ROW_5 JINA_ROW("(%[a],%[row5])")
#define JINA_ROW_6 JINA_ROW("(%[a],%[row3],2)")
#define JINA_ROW_7 JINA_ROW("(%[a],%[row7])")

#define JINA_STEP_1(fma)                                                                                           \
  JINA_LOAD_1 JINA_ROW_0 JINA_FMA_1(fma, 0) JINA_ROW_1 JINA_FMA_1(fma, 1) JINA_ROW_2 JINA_FMA_1(fma, 2) JINA_ROW_3 \
  JINA_FMA_1(fma, 3) JINA_ROW_4                                                                                    \
  JINA_FMA_1(fma, 4) JINA_ROW_5                                                                                    \
  JINA_FMA_1(fma, 5) JINA_ROW_6                                                                                    \
  JINA_FMA_1(fma, 6) JINA_ROW_7                                                                                    \
  JINA_FMA_1(fma, 7)
#define JINA_STEP_2(fma)                                                                                         \
  JINA_LOAD_2 JINA_ROW_0 JINA_FMA_2(fma, 0, 1) JINA_ROW_1 JINA_FMA_2(fma, 2, 3) JINA_ROW_2 JINA_FMA_2(fma, 4, 5) \
      JINA_ROW_3                                                                                                 \
      JINA_FMA_2(fma, 6, 7) JINA_ROW_4                                                                           \
      JINA_FMA_2(fma, 8, 9) JINA_ROW_5                                                                           \
      JINA_FMA_2(fma, 10, 11) JINA_ROW_6                                                                         \
      JINA_FMA_2(fma, 12, 13) JINA_ROW_7                                                                         \
      JINA_FMA_2(fma, 14, 15)
#define JINA_STEP_3(fma)                                                                                     \
  JINA_LOAD_3 JINA_ROW_0 JINA_FMA_3(fma, 0, 1, 2) JINA_ROW_1 JINA_FMA_3(fma, 3, 4, 5) JINA_ROW_2 JINA_FMA_3( \
      fma, 6, 7, 8) JINA_ROW_3                                                                               \
  JINA_FMA_3(fma, 9, 10, 11) JINA_ROW_4                                                                      \
  JINA_FMA_3(fma, 12, 13, 14) JINA_ROW_5                                                                     \
  JINA_FMA_3(fma, 15, 16, 17) JINA_ROW_6                                                                     \
  JINA_FMA_3(fma, 18, 19, 20) JINA_ROW_7                                                                     \
  JINA_FMA_3(fma, 21, 22, 23)

#define JINA_TILE(vectors, fma, begin, end)                                                                         \
  asm volatile(JINA_LOAD_EXTRA_##vectors JINA_ACCUMULATORS_##vectors(begin) "1:\n\t" JINA_STEP_##vectors(           \
                   fma) "add %[step], %[a]\n\t add $64*" #vectors                                                   \
                        ", %[b]\n\t dec %[steps]\n\t jnz 1b\n\t" end(vectors)                                       \
               : [a] "+r"(a), [b] "+r"(b), [steps] "+r"(steps)                                                      \
               : [row] "r"(t.row), [row3] "r"(3 * t.row), [row5] "r"(5 * t.row), [row7] "r"(7 * t.row),             \
                 [step] "r"(t.step), [bias] "r"(bias), [extra] "r"(extra), [out] "r"(out)                           \
               : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",    \
                 "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", \
                 "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30")
#define JINA_END_SCORES(vectors) \
  JINA_ACCUMULATORS_##vectors(JINA_RAISE_MAX) JINA_ACCUMULATORS_##vectors(JINA_STORE) JINA_STORE_EXTRA_##vectors
#define JINA_END_VALUES(vectors) JINA_ACCUMULATORS_##vectors(JINA_STORE)

// Defines the two tiles of attention_block.h for one multiply-add instruction.
#define JINA_DEFINE_TILES(fma)                                                           \
  template <int kVectors>                                                                \
  void score_tile(const AttentionTile& t, const float* bias, float* extra, float* out) { \
    const void *a = t.a, *b = t.b;                                                       \
    int64_t steps = t.steps;                                                             \
    if (bias == nullptr) {                                                               \
      if constexpr (kVectors == 1) JINA_TILE(1, fma, JINA_ZERO, JINA_END_SCORES);        \
      if constexpr (kVectors == 2) JINA_TILE(2, fma, JINA_ZERO, JINA_END_SCORES);        \
      if constexpr (kVectors == 3) JINA_TILE(3, fma, JINA_ZERO, JINA_END_SCORES);        \
    } else {                                                                             \
      if constexpr (kVectors == 1) JINA_TILE(1, fma, JINA_LOAD_BIAS, JINA_END_SCORES);   \
      if constexpr (kVectors == 2) JINA_TILE(2, fma, JINA_LOAD_BIAS, JINA_END_SCORES);   \
      if constexpr (kVectors == 3) JINA_TILE(3, fma, JINA_LOAD_BIAS, JINA_END_SCORES);   \
    }                                                                                    \
  }                                                                                      \
  template <int kVectors>                                                                \
  void value_tile(const AttentionTile& t, const float* extra, float* out) {              \
    const void *a = t.a, *b = t.b;                                                       \
    const float* bias = nullptr;                                                         \
    int64_t steps = t.steps;                                                             \
    if constexpr (kVectors == 1) JINA_TILE(1, fma, JINA_LOAD_SCALED, JINA_END_VALUES);   \
    if constexpr (kVectors == 2) JINA_TILE(2, fma, JINA_LOAD_SCALED, JINA_END_VALUES);   \
    if constexpr (kVectors == 3) JINA_TILE(3, fma, JINA_LOAD_SCALED, JINA_END_VALUES);   \
  }

// clang-format on

namespace jina {
namespace {

using V = __m512;

constexpr int kLanes = 16;
constexpr int kTileRows = 8;

inline V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
inline V max(V a, V b) { return _mm512_max_ps(a, b); }  // b where either is NaN
inline V broadcast(float x) { return _mm512_set1_ps(x); }
inline V load(const float* p) { return _mm512_load_ps(p); }
inline void store(float* p, V x) { _mm512_store_ps(p, x); }
inline bool all_less(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ) == 0xFFFF; }
/// 2^round(shift - 1.5 * 2^23) times x, by adding to the exponent.
inline V add_exponent(V x, V shift) {
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32(_mm512_castps_si512(shift), 23)));
}
/// 2^x, in attention_power.h.
template <int kDegree, int kCount>
void raise_to_power(V (&x)[kCount]);

/// The value itself, computed: keeps the compiler from fusing its product into a later addition.
inline V opaque(V x) {
  asm("" : "+v"(x));
  return x;
}
/// Mask of the first `count` lanes, at most 16 of them; none for a negative count.
inline __mmask16 first(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}

/// 16 x 16 dwords in place: r[i][j] becomes r[j][i].
inline void transpose(__m512i (&r)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xDD);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xDD);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xDD);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xDD);
  }
}

/// Rows of dwords (a query each, `stride` bytes apart) to columns: to[d * lanes + i] = from[i][d]; absent rows give
/// zeros.
inline void transpose_queries(const void* from, int64_t stride, int64_t rows, int64_t dwords, float* to,
                              int64_t lanes) {
  for (int64_t i = 0; i < lanes; i += 16) {
    for (int64_t d = 0; d < dwords; d += 16) {
      const __mmask16 mask = first(dwords - d);
      __m512i r[16];
#pragma GCC unroll 16
      for (int k = 0; k < 16; ++k) {
        const auto* row = static_cast<const char*>(from) + (i + k) * stride + 4 * d;
        r[k] = _mm512_maskz_loadu_epi32(i + k < rows ? mask : __mmask16{0}, row);
      }
      transpose(r);
      float* target = to + d * lanes + i;
      if (mask == 0xFFFF) {
#pragma GCC unroll 16
        for (int k = 0; k < 16; ++k) _mm512_store_si512(target + k * lanes, r[k]);
      } else {
        for (int k = 0; k < 16 && d + k < dwords; ++k) _mm512_store_si512(target + k * lanes, r[k]);
      }
    }
  }
}

/// Results (dim, query) times the factor of each query, to rows of elements by the element type's write_vector.
template <typename Element, typename Write>
inline void transpose_results(const float* results, const float* factors, int64_t lanes, int64_t rows, int64_t dim,
                              Element* out, int64_t stride, const Write& write_vector) {
  for (int64_t i = 0; i < rows; i += 16) {
    const V factor = load(factors + i);
    for (int64_t d = 0; d < dim; d += 16) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int k = 0; k < 16; ++k) {
        r[k] = d + k < dim ? _mm512_castps_si512(load(results + (d + k) * lanes + i) * factor) : _mm512_setzero_si512();
      }
      transpose(r);
      const __mmask16 mask = first(dim - d);
#pragma GCC unroll 16
      for (int k = 0; k < 16; ++k) {
        if (i + k < rows) write_vector(out + (i + k) * stride + d, mask, _mm512_castsi512_ps(r[k]));
      }
    }
  }
}

}  // namespace
}  // namespace jina
