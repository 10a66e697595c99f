#pragma once

#include <string>

#include "text/tokenizer.h"

namespace jina::test {

/// tokenizer.json of a tiny checkpoint among the golden fixtures: bert-tiny-mean (WordPiece), v3-tiny (Unigram),
/// v2-code-6h (byte-level BPE).
inline std::string tiny_tokenizer_path(const std::string& name) {
  return JINA_SOURCE_DIR "/tests/golden/models/" + name + "/model/tokenizer.json";
}

inline Tokenizer tiny_tokenizer(const std::string& name) { return Tokenizer::load(tiny_tokenizer_path(name)); }

}  // namespace jina::test
