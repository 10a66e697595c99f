#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/utf8.h"
#include "text/unicode_tables.h"

namespace jina {

/// What the reference's normalizers and pre-tokenizers do with a code point on its own.
enum CharacterFlag : uint16_t {
  kCleaned = 1,         ///< removed by BertNormalizer's clean_text: NUL, U+FFFD, Cc but tab and line ends, Cf, Co
  kWhitespace = 2,      ///< Unicode White_Space
  kPunctuation = 4,     ///< ASCII punctuation and symbols, Unicode P*
  kMarkNonspacing = 8,  ///< Mn, removed by BertNormalizer's strip_accents
  kCombiningMark = 16,  ///< M*, removed by StripAccents
  kNumeric = 32,        ///< Nd, Nl, No
  kWord = 64,           ///< \w of a regular expression
  kNfcUnsafe = 128,     ///< changed by NFC, or able to combine with the character before it
  kDecomposed = 256,    ///< changed by NFD, Hangul syllables included
  kLowered = 512,       ///< changed by lower-casing
  kOrdered = 1024,      ///< a mark that NFD may move: its combining class is not 0
  kChinese = 2048,      ///< BertNormalizer puts blanks around it
};

inline uint16_t character_flags(char32_t c) {
  return unicode_tables::flags_blocks[unicode_tables::flags_index_of_block[c >> 7] << 7 | (c & 127)];
}

inline bool is_whitespace(char32_t c) { return (character_flags(c) & kWhitespace) != 0; }

/// Canonical combining class; 0 for starters.
inline uint8_t combining_class(char32_t c) {
  using namespace unicode_tables;
  return combining_class_blocks[combining_class_index_of_block[c >> 7] << 7 | (c & 127)];
}

/// What a code point is mapped to; empty when it is mapped to itself.
using CharacterMapping = std::span<const char32_t>;

inline CharacterMapping pool_entry(const char32_t* pool, uint16_t place) {
  if (place == 0) return {};
  return {pool + place, pool[place - 1]};
}

inline CharacterMapping lowercase(char32_t c) {
  using namespace unicode_tables;
  return pool_entry(lowercase_pool, lowercase_blocks[lowercase_index_of_block[c >> 7] << 7 | (c & 127)]);
}

/// Full canonical decomposition, Hangul syllables excepted.
inline CharacterMapping canonical_decomposition(char32_t c) {
  using namespace unicode_tables;
  return pool_entry(canonical_pool, canonical_blocks[canonical_index_of_block[c >> 7] << 7 | (c & 127)]);
}

/// Full compatibility decomposition where it differs from the canonical one.
inline CharacterMapping compatible_decomposition(char32_t c) {
  using namespace unicode_tables;
  return pool_entry(compatible_pool, compatible_blocks[compatible_index_of_block[c >> 7] << 7 | (c & 127)]);
}

inline bool is_utf8_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }

/// Length in bytes of the character that starts with `lead` in valid UTF-8.
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// Decodes the character before `position` of valid UTF-8 and moves `position` to its start.
inline char32_t previous_code_point(std::string_view text, size_t& position) {
  do --position;
  while (is_utf8_continuation(text[position]));
  size_t at = position;
  return next_code_point(text, at);
}

}  // namespace jina
