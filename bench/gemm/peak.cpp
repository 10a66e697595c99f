#include "gemm/peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "ops/cpu/tile_kernels.h"

namespace jina::bench {

namespace {

double measure(DType type) {
  const TileKernels& kernels = best_tile_kernels(type);
  constexpr int64_t kDepth = 64, kCalls = 2000;
  alignas(64) static float panel[kDepth * kPanelColumns];
  alignas(64) static float a[kMostTileRows * kDepth], c[kMostTileRows * kPanelColumns];
  const TileCall call{a, kDepth * 4, panel, kDepth, panel, 0, c, kPanelColumns * 4, {panel, panel}};
  double best = 1e9;
  for (int repetition = 0; repetition < 100; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < kCalls; ++i) kernels.by_rows[kernels.rows](call);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const double steps = type == DType::kBF16 ? 2 : 1;
  return 2e-9 * kernels.rows * kPanelColumns * kDepth * steps * kCalls / best;
}

}  // namespace

double peak_gflops(bool is_bf16) {
  static const double f32 = measure(DType::kF32);
  static const double bf16 = available_tile_kernels(DType::kBF16).empty() ? 0 : measure(DType::kBF16);
  return is_bf16 ? bf16 : f32;
}

}  // namespace jina::bench
