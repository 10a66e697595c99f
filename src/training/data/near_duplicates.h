#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"

namespace jina {

/// One row as the search for near-duplicates sees it.
struct RowTexts {
  std::vector<std::string> sides;  ///< normalised texts: query and positive, or one text; as many in every row
  uint64_t group = 0;              ///< rows of different groups are never near-duplicates (the label)
};

/// Jaccard similarity of the sets of five-byte pieces of two normalised texts, a blank put at both ends.
double piece_similarity(const std::string& a, const std::string& b);

/// Near-duplicates among `count` rows, each with an earlier row that it is near to and that is kept; −1 for rows that
/// are kept. Two rows are near when piece_similarity() of each side is at least 0.8. Candidates come from MinHash (one
/// permutation with 64 bins, densified: Li et al. 2012, Shrivastava 2017) over both sides, 16 bands of 4: a pair at
/// exactly 0.8 is missed once in about 5,000 times, nearer ones less. Each candidate is then compared in full; a row is
/// compared with 32 of them at most, so that the work stays linear. The result does not depend on the number of
/// threads. `texts(row)` is called from several threads.
std::vector<int64_t> find_near_duplicates(int64_t count, const std::function<RowTexts(int64_t)>& texts,
                                          ThreadPool& pool);

}  // namespace jina
