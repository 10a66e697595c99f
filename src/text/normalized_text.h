#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace jina {

/// A piece of text after normalisation, with where each of its bytes came from.
struct NormalizedText {
  std::string text;
  /// One entry per byte of `text`: the range of original bytes that produced the character it belongs to. Empty means
  /// that nothing moved (byte i came from byte i).
  std::vector<ByteSpan> origin;
};

}  // namespace jina
