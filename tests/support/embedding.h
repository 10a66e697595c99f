#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "jina/types.h"

namespace jina::test {

inline std::string tiny_model(const std::string& name) {
  return std::string(JINA_SOURCE_DIR) + "/tests/golden/models/" + name + "/model";
}

/// All values of several embeddings, one after the other.
inline std::vector<float> all_values(const std::vector<Embedding>& embeddings) {
  std::vector<float> values;
  for (const Embedding& e : embeddings) values.insert(values.end(), e.values.begin(), e.values.end());
  return values;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0;
  double squares_a = 0;
  double squares_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    squares_a += static_cast<double>(a[i]) * a[i];
    squares_b += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(squares_a * squares_b);
}

}  // namespace jina::test
