#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace jina {

enum class Pooling : uint8_t { kMean, kCls, kLast };

/// Cuts each vector to its first `dimensions` values and, if asked, scales it to unit length (in float64). Cut first:
/// a prefix of a unit vector is not one (Kusupati et al. 2022). vectors: (count, width) → (count, dimensions).
std::vector<float> truncate_and_normalize(std::span<const float> vectors, int64_t width, int64_t dimensions,
                                          bool normalize);

}  // namespace jina
