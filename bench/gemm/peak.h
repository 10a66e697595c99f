#pragma once

namespace jina::bench {

/// The most GFLOP/s that one thread reaches on a tile of our own kernels that fits the first-level cache: a stand-in
/// for the peak, which another kernel may pass by a few percent. Measured once per type.
double peak_gflops(bool is_bf16);

}  // namespace jina::bench
