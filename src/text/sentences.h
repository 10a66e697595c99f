#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jina {

/// Cuts a text into sentences: after . ! ? … and their full-width and Devanagari kin (closing quotes and brackets stay
/// with the sentence) when white space or a wide character follows, and at blank lines. White space belongs to the
/// sentence that follows it, so that the spans partition the text. Abbreviations are not known to it.
std::vector<ByteSpan> split_sentences(std::string_view text);

}  // namespace jina
