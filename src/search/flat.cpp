#include "search/flat.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace jina {

float dot(std::span<const float> a, std::span<const float> b) {
  JINA_CHECK(a.size() == b.size());
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float total = 0;
  for (; i < a.size(); ++i) total += a[i] * b[i];
  for (const float sum : sums) total += sum;
  return total;
}

std::vector<float> score_rows(std::span<const float> query, std::span<const float> vectors) {
  std::vector<float> scores;
  scores.reserve(vectors.size() / query.size());
  for (size_t begin = 0; begin < vectors.size(); begin += query.size()) {
    scores.push_back(dot(query, vectors.subspan(begin, query.size())));
  }
  return scores;
}

void keep_best(std::vector<Hit>& hits, int64_t k) {
  const auto is_better = [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  };
  const auto count = std::min(hits.size(), static_cast<size_t>(k));
  std::ranges::partial_sort(hits, hits.begin() + static_cast<std::ptrdiff_t>(count), is_better);
  hits.resize(count);
}

std::vector<Hit> best_rows(std::span<const float> scores, int64_t k, float threshold) {
  std::vector<Hit> hits;
  for (size_t row = 0; row < scores.size(); ++row) {
    if (scores[row] >= threshold) hits.push_back({static_cast<int64_t>(row), scores[row]});
  }
  keep_best(hits, k);
  return hits;
}

}  // namespace jina
