#pragma once

#include <memory>
#include <vector>

#include "base/json.h"
#include "text/normalized_text.h"
#include "text/tokenizer.h"

namespace jina {

/// A normalised text on its way to the model: cut into pieces, each of which the model sees alone.
struct PreTokenizedText {
  NormalizedText normalized;
  std::vector<ByteSpan> pieces;  ///< ranges of normalized.text, ascending, none empty
  bool is_start = true;          ///< whether the first byte is the start of the whole input (Metaspace "first")
};

/// A step that cuts pieces into smaller ones (and may rewrite them). Immutable and thread-safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(PreTokenizedText& text) const = 0;
  /// Whether the model after it sees raw bytes (HF's ByteLevel alphabet).
  virtual bool is_byte_level() const { return false; }
};

/// Reads the "pre_tokenizer" of a tokenizer.json. Errors: the document's kind, naming an unknown type or a broken
/// field.
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Json& json);

}  // namespace jina
