#pragma once

#include <stdint.h>

// Included by files compiled for one instruction set: declarations only, no inline functions, no C++ library.

namespace jina {

/// Columns of one packed panel of weights, and of every tile.
constexpr int kPanelColumns = 32;
/// Rows of the largest tile of any kernel.
constexpr int kMostTileRows = 12;

/// One tile of a matrix product: c[r][0, 32) = start[r][0, 32) + sum over depth of a[r][k] * panel[k][0, 32).
/// Each element is summed by one accumulator in the order of k, whatever the number of rows: a result does not depend
/// on the tile it was computed in, nor on where the depth was cut.
struct TileCall {
  const void* a;         // rows of f32, or of bf16 in pairs
  int64_t a_stride;      // bytes from row to row
  const void* panel;     // (depth, 32) f32, or (depth, 32, 2) bf16; 64-byte aligned
  int64_t depth;         // steps: one k for f32, two for bf16
  const float* start;    // what the sums start from; may be c
  int64_t start_stride;  // bytes from row to row; 0 for one row that all start from, as a bias
  float* c;
  int64_t c_stride;     // bytes from row to row
  const void* soon[2];  // 64 bytes per step of depth are prefetched from each; any address
};

using TileKernel = void (*)(const TileCall& call);

/// The kernels of one instruction set and type, by number of rows (index 0 is unused).
struct TileKernels {
  int rows;  // of the largest tile
  const TileKernel* by_rows;
};

extern const TileKernels kTileF32Avx512;
extern const TileKernels kTileBf16Avx512;
extern const TileKernels kTileF32Avx2;

}  // namespace jina
