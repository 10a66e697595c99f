#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "search/flat.h"

namespace jina {

/// Equal for texts of the same words in the same order, whatever stands between them and however they are written.
uint64_t text_key(std::string_view text);
/// The distinct words of a text as sorted numbers.
std::vector<uint64_t> word_set(std::string_view text);
/// Share of common words: |a and b| / |a or b| (Jaccard); 0 when both are empty.
double word_overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

/// A document that came up for a query and is not known to answer it.
struct Candidate {
  int64_t document = 0;
  int64_t rank = 0;  ///< the better of its ranks, from 0, known answers not counted
  float score = std::numeric_limits<float>::quiet_NaN();  ///< dense; NaN: not computed
};

/// The union of two rankings, by rank, at equal rank the dense one first. Hits that `is_known` are left out before
/// ranks are counted; `word_scores` are the dense scores of `words`, or empty.
std::vector<Candidate> unite_rankings(const std::vector<Hit>& dense, const std::vector<Hit>& words,
                                      const std::vector<float>& word_scores,
                                      const std::function<bool(int64_t document)>& is_known);

enum class NegativeSampling : uint8_t { kTop, kRandom };

/// Which candidates become hard negatives.
struct NegativeRules {
  int64_t count = 7;
  int64_t range_min = 0;    ///< first rank that is taken …
  int64_t range_max = 100;  ///< … and the one after the last
  /// A candidate that scores more than (1 - relative_margin) times the positive may well be an answer nobody marked
  /// (Moreira et al. 2024, "NV-Retriever", TopK-PercPos with 95 %).
  std::optional<double> relative_margin = 0.05;
  std::optional<double> absolute_margin{};  ///< … or more than the positive's score less this
  std::optional<double> max_score{};
  std::optional<double> min_score{};
  NegativeSampling sampling = NegativeSampling::kTop;
  uint64_t seed = 1;
};

/// Why candidates were left out.
struct NegativeCounts {
  int64_t candidates = 0;
  int64_t out_of_range = 0;
  int64_t too_close = 0;  ///< to the positive's score, or above max_score
  int64_t too_far = 0;    ///< below min_score
  int64_t duplicates = 0;
};

/// Up to rules.count of `ranked`, best rank first. `positive_score` is dense. `is_duplicate` is asked last, and only of
/// those that would be taken. `row` makes the random choice of a row its own. Adds to `counts`.
std::vector<Candidate> choose_negatives(const std::vector<Candidate>& ranked, float positive_score,
                                        const NegativeRules& rules, uint64_t row,
                                        const std::function<bool(int64_t document)>& is_duplicate,
                                        NegativeCounts& counts);

}  // namespace jina
