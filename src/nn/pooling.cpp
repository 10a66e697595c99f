#include "nn/pooling.h"

#include <cmath>

namespace jina {

std::vector<float> truncate_and_normalize(std::span<const float> vectors, int64_t width, int64_t dimensions,
                                          bool normalize) {
  std::vector<float> result;
  result.reserve(vectors.size() / static_cast<size_t>(width) * static_cast<size_t>(dimensions));
  for (size_t begin = 0; begin < vectors.size(); begin += static_cast<size_t>(width)) {
    const auto vector = vectors.subspan(begin, static_cast<size_t>(dimensions));
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * value;
    const double factor = normalize && squares > 0 ? 1 / std::sqrt(squares) : 1;
    for (const float value : vector) result.push_back(static_cast<float>(value * factor));
  }
  return result;
}

}  // namespace jina
