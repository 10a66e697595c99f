#pragma once

#include <memory>

#include "base/json.h"
#include "text/normalized_text.h"

namespace jina {

/// A step between the raw text and the pre-tokenizer, e.g. lower-casing. Immutable and thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// Changes `text` in place and keeps its origin.
  virtual void apply(NormalizedText& text) const = 0;
};

/// Reads the "normalizer" of a tokenizer.json. Errors: the document's kind, naming an unknown type or a broken field.
std::unique_ptr<Normalizer> make_normalizer(const Json& json);

}  // namespace jina
