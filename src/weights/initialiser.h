#pragma once

#include <cstdint>
#include <memory>

#include "weights/weights.h"

namespace jina {

/// Random weights of whatever shape is asked for, a function of (seed, name) alone: for benchmarks with real shapes and
/// tests. Weights of norms (one-dimensional, not a bias) are 1 + deviation * n, all others deviation * n, with n of
/// CounterRng::rough_normal. `dtype` is f32, f16 or bf16. Its names() are empty, so that Weights::has is always false
/// and `finish` reports nothing unused.
std::shared_ptr<WeightSource> make_initialiser(uint64_t seed, float deviation, DType dtype);

}  // namespace jina
