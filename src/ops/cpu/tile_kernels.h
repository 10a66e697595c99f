#pragma once

#include <string_view>
#include <vector>

#include "ops/cpu/tile_kernel.h"
#include "tensor/dtype.h"

namespace jina {

struct NamedTileKernels {
  std::string_view isa;
  const TileKernels* kernels;
};

/// The kernels this processor can run for operands of `type` (f32 or bf16), fastest first; none for bf16 without
/// hardware support.
std::vector<NamedTileKernels> available_tile_kernels(DType type);

/// The fastest of them.
const TileKernels& best_tile_kernels(DType type);

}  // namespace jina
