#pragma once

#include "text/normalized_text.h"

namespace jina {

enum class NormalizationForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

/// Brings the text into a Unicode normalisation form, with the origins that HF `tokenizers` records: where marks are
/// reordered, origins follow the order of consumption, not the marks.
void normalize_unicode(NormalizationForm form, NormalizedText& text);

/// Appends the canonical decomposition of one character, Hangul included; the character itself when it has none.
void append_canonical_decomposition(char32_t c, std::u32string& out);

}  // namespace jina
