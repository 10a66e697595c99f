#include "ops/cpu/tile_kernels.h"

#include "base/error.h"
#include "ops/cpu/cpu_backend.h"

namespace jina {

namespace {

/// Four columns; the compiler maps it to whatever vectors the target has.
// NOLINTNEXTLINE(modernize-use-using): the attributes bind to the type only in this form
typedef float Quad __attribute__((vector_size(16), aligned(4)));

/// The tile of any processor: 8 columns at a time, so that the accumulators of four rows fit sixteen registers.
template <int kRows>
void tile_baseline(const TileCall& call) {
  constexpr int kColumns = 8;
  const auto* a = static_cast<const char*>(call.a);
  for (int column = 0; column < kPanelColumns; column += kColumns) {
    const float* b = static_cast<const float*>(call.panel) + column;
    Quad sums[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const auto* start = reinterpret_cast<const char*>(call.start + column) + r * call.start_stride;
      sums[r][0] = *reinterpret_cast<const Quad*>(start);
      sums[r][1] = *reinterpret_cast<const Quad*>(start + sizeof(Quad));
    }
    for (int64_t k = 0; k < call.depth; ++k, b += kPanelColumns) {
      const Quad low = *reinterpret_cast<const Quad*>(b), high = *reinterpret_cast<const Quad*>(b + 4);
      for (int r = 0; r < kRows; ++r) {
        const float factor = reinterpret_cast<const float*>(a + r * call.a_stride)[k];
        sums[r][0] += factor * low;
        sums[r][1] += factor * high;
      }
    }
    for (int r = 0; r < kRows; ++r) {
      auto* c = reinterpret_cast<float*>(reinterpret_cast<char*>(call.c) + r * call.c_stride) + column;
      *reinterpret_cast<Quad*>(c) = sums[r][0];
      *reinterpret_cast<Quad*>(c + 4) = sums[r][1];
    }
  }
}

constexpr TileKernel kBaseline[] = {nullptr, tile_baseline<1>, tile_baseline<2>, tile_baseline<3>, tile_baseline<4>};
constexpr TileKernels kTileF32Baseline{4, kBaseline};

}  // namespace

std::vector<NamedTileKernels> available_tile_kernels(DType type) {
  std::vector<NamedTileKernels> kernels;
  if (type == DType::kBF16) {
    if (has_fast_bf16()) kernels.push_back({"avx512_bf16", &kTileBf16Avx512});
    return kernels;
  }
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) kernels.push_back({"avx512", &kTileF32Avx512});
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    kernels.push_back({"avx2", &kTileF32Avx2});
  }
#endif
  kernels.push_back({"baseline", &kTileF32Baseline});
  return kernels;
}

const TileKernels& best_tile_kernels(DType type) {
  const std::vector<NamedTileKernels> kernels = available_tile_kernels(type);
  JINA_CHECK(!kernels.empty());
  return *kernels.front().kernels;
}

}  // namespace jina
