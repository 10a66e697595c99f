#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "training/data/rows.h"

namespace jina {

/// The rows of a data set as tokens. A text here is a text with the prompt of its role in front; members whose column
/// the data set has not are empty. All spans point into `file`, the cache.
struct TokenisedRows {
  std::span<const int32_t> queries;           // (rows) texts
  std::span<const int32_t> positives;         // (rows)
  std::span<const int64_t> negative_offsets;  // (rows + 1); row r owns negatives [offsets[r], offsets[r + 1])
  std::span<const int32_t> negatives;
  std::span<const float> scores;           // (rows)
  std::span<const int32_t> labels;         // (rows)
  std::span<const int32_t> originals;      // (texts) equal numbers: equal texts, before prompts
  std::span<const int64_t> offsets;        // (texts + 1) text t owns ids [offsets[t], offsets[t + 1])
  std::span<const int32_t> ids;            // (tokens)
  std::span<const uint64_t> word_starts;   // (tokens / 64) bit i % 64 of entry i / 64: token i starts a word
  std::vector<std::string> label_names;    ///< by label
  RowNotes notes;                          ///< what was said when the rows were made
  std::shared_ptr<const MappedFile> file;  ///< keeps the spans valid

  int64_t rows() const { return static_cast<int64_t>(queries.size()); }
  int64_t texts() const { return static_cast<int64_t>(originals.size()); }
  int64_t length(int32_t text) const {
    const auto t = static_cast<size_t>(text);
    return offsets[t + 1] - offsets[t];
  }
  std::span<const int32_t> tokens(int32_t text) const {
    return ids.subspan(static_cast<size_t>(offsets[static_cast<size_t>(text)]), static_cast<size_t>(length(text)));
  }
  /// Whether token `position` of a text starts a word.
  bool starts_word(int32_t text, int64_t position) const {
    const auto token = static_cast<size_t>(offsets[static_cast<size_t>(text)] + position);
    return (word_starts[token / 64] >> token % 64 & 1) != 0;
  }
};

}  // namespace jina
