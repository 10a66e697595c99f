#pragma once

namespace jina::bench {

/// The most GFLOP/s that one thread of this processor reaches on a tile of the kernels that fits the first-level cache;
/// measured once per type.
double peak_gflops(bool is_bf16);

}  // namespace jina::bench
