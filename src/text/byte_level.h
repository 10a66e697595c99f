#pragma once

#include "text/pre_tokenizer.h"

namespace jina {

/// HF's ByteLevel: may put a blank in front of each piece and cut by the GPT-2 pattern. The text stays UTF-8; that the
/// model then works on bytes is said by is_byte_level().
std::unique_ptr<PreTokenizer> make_byte_level(const Json& json);

/// HF's Split with a regular expression that is one of split_patterns.h. Errors: the document's kind for another one.
std::unique_ptr<PreTokenizer> make_pattern_split(const Json& json, std::string_view regex);

}  // namespace jina
