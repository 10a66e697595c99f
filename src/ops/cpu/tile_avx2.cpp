#include <immintrin.h>

#include "ops/cpu/tile_kernel.h"

namespace jina {

namespace {

/// 16 columns at a time: the accumulators of six rows, two columns vectors and a broadcast fill the sixteen registers.
template <int kRows>
void tile(const TileCall& call) {
  const char* a = static_cast<const char*>(call.a);
  for (int column = 0; column < kPanelColumns; column += 16) {
    const float* b = static_cast<const float*>(call.panel) + column;
    char* c = reinterpret_cast<char*>(call.c + column);
    const char* start = reinterpret_cast<const char*>(call.start + column);
    __m256 low[kRows], high[kRows];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const float* row = reinterpret_cast<const float*>(start + r * call.start_stride);
      low[r] = _mm256_loadu_ps(row);
      high[r] = _mm256_loadu_ps(row + 8);
    }
    for (int64_t k = 0; k < call.depth; ++k, b += kPanelColumns) {
      const __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256 factor = _mm256_broadcast_ss(reinterpret_cast<const float*>(a + r * call.a_stride) + k);
        low[r] = _mm256_fmadd_ps(factor, b0, low[r]);
        high[r] = _mm256_fmadd_ps(factor, b1, high[r]);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      float* row = reinterpret_cast<float*>(c + r * call.c_stride);
      _mm256_storeu_ps(row, low[r]);
      _mm256_storeu_ps(row + 8, high[r]);
    }
  }
}

constexpr TileKernel kByRows[] = {nullptr, tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>};

}  // namespace

const TileKernels kTileF32Avx2{6, kByRows};

}  // namespace jina
