#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace jina {

/// Dot product in float32, summed in 16 lanes (the same for every call, so equal pairs give equal scores).
float dot(std::span<const float> a, std::span<const float> b);

/// A row of the searched vectors and how well it matches.
struct Hit {
  int64_t row;
  float score;
};

/// Keeps the best `k` hits, best first, equal scores in row order.
void keep_best(std::vector<Hit>& hits, int64_t k);

/// The best `k` rows that score at least `threshold`, best first, equal scores in row order (exact search).
std::vector<Hit> best_rows(std::span<const float> scores, int64_t k, float threshold);

/// Dot product of `query` with each row of `vectors` (rows, query.size()).
std::vector<float> score_rows(std::span<const float> query, std::span<const float> vectors);

}  // namespace jina
