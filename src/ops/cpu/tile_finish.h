#pragma once

#include "ops/backend.h"
#include "ops/cpu/tile_kernel.h"

namespace jina {

/// The last step of a tile: activation, gate, conversion. `sums` are rows of 32 accumulators; the second one is
/// the other half of a gated layer.
struct TileFinish {
  const float* sums[2] = {nullptr, nullptr};
  int64_t rows = 0;
  int64_t columns = kPanelColumns;  // to be written, at most 32
  Activation activation = Activation::kNone;
  Gate gate = Gate::kNone;
  DType output = DType::kF32;  // f32 or bf16
  std::byte* out = nullptr;
  int64_t out_stride = 0;  // bytes
};

/// Writes `rows` x `columns` results and nothing beside them.
void finish_tile(const TileFinish& tile);

}  // namespace jina
