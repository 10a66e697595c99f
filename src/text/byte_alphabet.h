#pragma once

#include <string>
#include <string_view>

namespace jina {

/// The alphabet in which byte-level vocabularies are written: each byte is one printable character (GPT-2's
/// bytes_to_unicode), e.g. "Ġthe" for " the".
std::string encode_byte_alphabet(std::string_view bytes);

/// Appends the bytes that `text` (valid UTF-8) spells; false, and nothing, when it has a character outside the
/// alphabet.
bool decode_byte_alphabet(std::string_view text, std::string& out);

}  // namespace jina
