#pragma once

#include <string_view>

#include "text/tokenizer.h"

namespace jina {

/// As tokenizer.encode(text, options), with two differences: only as much of a long text is read as its first
/// options.max_length tokens need (the ids are the same: what was left out is shown not to matter, or all is read), and
/// a character of a script that is written without blanks (Han, kana, Thai, Lao, Burmese, Khmer) starts a word of its
/// own.
Encoding encode_start(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options);

}  // namespace jina
