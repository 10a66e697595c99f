#pragma once

#include <cstdint>

#include "ops/cpu/attention_kernels.h"

// f32 attention in the compiler's own vectors of 4 or 8 lanes, for processors without AVX-512. The including file
// defines V, Integers, kLanes, and fma; the rules of attention_block.h hold here too.

namespace jina {
namespace {

using Element = float;
constexpr int kPair = 1;
constexpr int64_t kKeyBlock = 64;
constexpr int kTileRows = 4;

inline V max(V a, V b) { return a > b ? a : b; }  // b where either is NaN
inline V broadcast(float x) { return V{} + x; }
inline V load(const float* p) { return *reinterpret_cast<const V*>(p); }
inline void store(float* p, V x) { *reinterpret_cast<V*>(p) = x; }
inline V load_unaligned(const float* p) {
  V x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
inline bool all_less(V a, V b) {
  const Integers less = a < b;
  bool all = true;
  for (int i = 0; i < kLanes; ++i) all = all && less[i] != 0;
  return all;
}
inline V add_exponent(V x, V shift) { return (V)((Integers)x + ((Integers)shift << 23)); }
inline V opaque(V x) {
  asm("" : "+x"(x));
  return x;
}
inline V add_squares(V sum, V x) { return fma(x, x, sum); }

/// 2^x, in attention_power.h.
template <int kDegree, int kCount>
void raise_to_power(V (&x)[kCount]);

/// All steps of a tile, accumulators in registers: four rows by at most three vectors.
template <int kVectors>
inline void multiply(const AttentionTile& t, V (&sum)[kTileRows][kVectors]) {
  const char* a = static_cast<const char*>(t.a);
  const float* b = static_cast<const float*>(t.b);
  for (int64_t step = 0; step < t.steps; ++step, a += t.step, b += kVectors * kLanes) {
#pragma GCC unroll 4
    for (int row = 0; row < kTileRows; ++row) {
      const V x = broadcast(*reinterpret_cast<const float*>(a + row * t.row));
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) sum[row][v] = fma(x, load(b + v * kLanes), sum[row][v]);
    }
  }
}

template <int kVectors>
void score_tile(const AttentionTile& t, const float* bias, float* maxima, float* out) {
  V sum[kTileRows][kVectors];
  for (int row = 0; row < kTileRows; ++row) {
    for (int v = 0; v < kVectors; ++v) sum[row][v] = bias != nullptr ? load_unaligned(bias + v * kLanes - row) : V{};
  }
  multiply<kVectors>(t, sum);
  for (int v = 0; v < kVectors; ++v) {
    V most = load(maxima + v * kLanes);
    for (int row = 0; row < kTileRows; ++row) {
      most = max(most, sum[row][v]);
      store(out + (row * kVectors + v) * kLanes, sum[row][v]);
    }
    store(maxima + v * kLanes, most);
  }
}

template <int kVectors>
void value_tile(const AttentionTile& t, const float* rescale, float* out) {
  V sum[kTileRows][kVectors];
  for (int row = 0; row < kTileRows; ++row) {
    for (int v = 0; v < kVectors; ++v)
      sum[row][v] = load(out + (row * kVectors + v) * kLanes) * load(rescale + v * kLanes);
  }
  multiply<kVectors>(t, sum);
  for (int row = 0; row < kTileRows; ++row) {
    for (int v = 0; v < kVectors; ++v) store(out + (row * kVectors + v) * kLanes, sum[row][v]);
  }
}

/// Scores (key, query) become weights in place.
template <int kVectors>
void weigh(float* scores, int64_t keys, float factor, const float* offsets, float* sums) {
  V sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = load(sums + kLanes * v);
  for (float* at = scores; at < scores + keys * kVectors * kLanes; at += kVectors * kLanes) {
    V x[kVectors];
    for (int v = 0; v < kVectors; ++v)
      x[v] = fma(load(at + kLanes * v), broadcast(factor), -load(offsets + kLanes * v));
    raise_to_power<5>(x);
    for (int v = 0; v < kVectors; ++v) {
      store(at + kLanes * v, x[v]);
      sum[v] = sum[v] + x[v];
    }
  }
  for (int v = 0; v < kVectors; ++v) store(sums + kLanes * v, sum[v]);
}

void rotate_row(const float* from, int64_t half, const float* cosines, const float* sines, float* to) {
  for (int64_t i = 0; i < half; ++i) {
    const float x = from[i], y = from[half + i];
    to[i] = x * cosines[i] - y * sines[i];
    to[half + i] = y * cosines[i] + x * sines[i];
  }
}

void pack_value_rows(const float* row, const float*, int64_t dim, int64_t width, void* to) {
  auto* target = static_cast<float*>(to);
  for (int64_t d = 0; d < width; ++d) target[d] = d < dim ? row[d] : 0.0F;
}

float square_sum(const float* row, int64_t dim) {
  float sum = 0;
  for (int64_t d = 0; d < dim; ++d) sum += row[d] * row[d];
  return sum;
}

void transpose_queries(const void* from, int64_t stride, int64_t rows, int64_t dim, float* to, int64_t lanes) {
  for (int64_t i = 0; i < lanes; ++i) {
    const auto* row = reinterpret_cast<const float*>(static_cast<const char*>(from) + i * stride);
    for (int64_t d = 0; d < dim; ++d) to[d * lanes + i] = i < rows ? row[d] : 0.0F;
  }
}

void write_results(const float* results, const float* factors, int64_t lanes, int64_t rows, int64_t dim, float* out,
                   int64_t stride) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t d = 0; d < dim; ++d) out[i * stride + d] = results[d * lanes + i] * factors[i];
  }
}

}  // namespace
}  // namespace jina
