#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// Vectors of pairs, row by row: query r belongs to positive r.
struct EmbeddedPairs {
  std::vector<float> queries;                     ///< (rows, dimensions)
  std::vector<float> positives;                   ///< (rows, dimensions)
  std::vector<std::string> documents;             ///< the texts of the positives: equal texts are one document
  std::vector<double> scores;                     ///< (rows) graded similarity; for correlations
  std::vector<float> negatives{};                 ///< (negatives, dimensions); for searches
  std::vector<std::string> negative_documents{};  ///< (negatives) their texts
  std::vector<int64_t> negative_offsets{};        ///< (rows + 1) row r owns negatives [offsets[r], offsets[r + 1])
};

/// A measure of pairs by its name. "spearman", "pearson": correlation of the pairs' cosines with the scores.
/// "recall@K", "ndcg@K", "map": each query searches by cosine, its own positive is the relevant one; mean over the
/// queries. A query that has negatives searches its positive and these, others all positives. `dimensions` above 0:
/// vectors are cut to so many numbers first. Errors: kInvalidInput for an unknown measure, no rows, sizes that do not
/// fit, scores that are missing.
double measure_pairs(std::string_view measure, const EmbeddedPairs& pairs, int64_t dimensions);

}  // namespace jina
