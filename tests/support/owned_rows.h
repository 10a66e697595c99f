#pragma once

#include <string>
#include <vector>

#include "training/data/token_file.h"

namespace jina::test {

/// Tokenised rows in memory, put together by a test.
struct OwnedRows {
  TokenFileContent content;

  /// Texts 0 to count - 1, all different, of one token each.
  void add_texts(int32_t count) {
    content.offsets = {0};
    for (int32_t text = 0; text < count; ++text) {
      content.originals.push_back(text);
      content.ids.push_back(100 + text);
      content.offsets.push_back(text + 1);
    }
    content.word_starts.assign(static_cast<size_t>(count) / 64 + 1, ~uint64_t{0});
  }

  TokenisedRows view() const {
    TokenisedRows rows;
    rows.queries = content.queries;
    rows.positives = content.positives;
    rows.negative_offsets = content.negative_offsets;
    rows.negatives = content.negatives;
    rows.scores = content.scores;
    rows.labels = content.labels;
    rows.originals = content.originals;
    rows.offsets = content.offsets;
    rows.ids = content.ids;
    rows.word_starts = content.word_starts;
    return rows;
  }
};

}  // namespace jina::test
