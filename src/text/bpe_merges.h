#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/token_model.h"

namespace jina {

/// The merges of a BPE model and the algorithm that applies them: always the pair of lowest rank, the leftmost of
/// equals.
class MergeTable {
 public:
  static constexpr int32_t kMaxId = (1 << 21) - 2;
  static constexpr size_t kMaxMerges = (1u << 22) - 2;
  static constexpr uint32_t kNoRank = (1u << 22) - 1;

  /// One merge; its rank is its place in the list. Of equal pairs the last counts, as in HF.
  struct Merge {
    int32_t left;
    int32_t right;
    int32_t merged;
  };

  /// At most kMaxMerges, all ids in [0, kMaxId].
  explicit MergeTable(std::span<const Merge> merges);

  /// The rank of a pair of ids, kNoRank when it is not merged.
  uint32_t rank(int32_t left, int32_t right) const;
  /// The id that the merge of this rank makes.
  int32_t merged(uint32_t rank) const { return merged_[rank]; }
  /// Merges symbols[first...] in place. Their ranges are adjacent.
  void merge(std::vector<ModelToken>& symbols, size_t first) const;

 private:
  uint64_t home(uint64_t key) const { return key * 0x9E3779B97F4A7C15u >> shift_; }
  size_t merge_short(std::span<ModelToken> symbols) const;
  size_t merge_long(std::span<ModelToken> symbols) const;

  std::vector<uint64_t> slots_;   // open addressing: left 21 bits, right 21 bits, rank 22 bits; all ones is empty
  std::vector<uint64_t> filter_;  // one bit for each pair's hash: most pairs asked for have no merge, and this fits L2
  std::vector<int32_t> merged_;   // by rank
  uint64_t filter_mask_ = 0;
  uint64_t mask_ = 0;
  int shift_ = 0;
};

}  // namespace jina
