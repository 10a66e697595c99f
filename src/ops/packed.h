#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace jina {

/// Where each row (one text) begins in the packed tokens: row r owns tokens [offsets[r], offsets[r + 1]). There is no
/// padding anywhere.
struct PackedLayout {
  std::vector<int64_t> offsets{0};  // (rows + 1)

  int64_t rows() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t tokens() const { return offsets.back(); }
  int64_t begin(int64_t row) const { return offsets[static_cast<size_t>(row)]; }
  int64_t length(int64_t row) const { return offsets[static_cast<size_t>(row) + 1] - begin(row); }
  int64_t longest() const {
    int64_t most = 0;
    for (int64_t row = 0; row < rows(); ++row) most = std::max(most, length(row));
    return most;
  }
  void append(int64_t length) { offsets.push_back(offsets.back() + length); }
};

constexpr int32_t kNoAdapter = -1;

/// The LoRA adapter of each row of a pass, by index into the adapters of the weights; kNoAdapter: the base weights.
struct RowAdapters {
  std::vector<int32_t> by_row;  // (rows)

  bool any() const {
    return std::ranges::any_of(by_row, [](int32_t adapter) { return adapter != kNoAdapter; });
  }
};

/// Half-open range of packed tokens.
struct TokenSpan {
  int64_t begin;
  int64_t end;
};

}  // namespace jina
