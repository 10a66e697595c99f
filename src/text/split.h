#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace jina {

/// What becomes of the delimiters that a pattern found; the names are those of HF `tokenizers`.
enum class SplitBehavior : uint8_t { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// Reads e.g. "MergedWithNext". Errors: the document's kind.
SplitBehavior parse_split_behavior(const Json& json);

/// A part of a text that a pattern matched, or a gap between matches.
struct SplitMatch {
  ByteSpan span;
  bool is_match;
};

/// Applies the behaviour to matches and gaps that cover a text in order; appends the resulting non-empty pieces.
void append_split(const std::vector<SplitMatch>& matches, SplitBehavior behavior, std::vector<ByteSpan>& pieces);

}  // namespace jina
