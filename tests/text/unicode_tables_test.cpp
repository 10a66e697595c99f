#include "text/unicode_tables.h"

#include <gtest/gtest.h>

#include "text/unicode.h"

namespace jina {
namespace {

TEST(UnicodeTables, FlagsOfWellKnownCharacters) {
  EXPECT_EQ(character_flags('a'), kWord);
  EXPECT_EQ(character_flags('A'), kWord | kLowered);
  EXPECT_EQ(character_flags('\n'), kWhitespace);
  EXPECT_EQ(character_flags(0), kCleaned);
  EXPECT_EQ(character_flags(0x85), kCleaned | kWhitespace);
  EXPECT_EQ(character_flags('$'), kPunctuation);
  EXPECT_EQ(character_flags(0x301) & (kMarkNonspacing | kCombiningMark | kOrdered | kNfcUnsafe),
            kMarkNonspacing | kCombiningMark | kOrdered | kNfcUnsafe);
  EXPECT_EQ(character_flags(0x4E2D) & kChinese, kChinese);
  EXPECT_EQ(character_flags(0x3042) & kChinese, 0);
  EXPECT_EQ(character_flags(0xAC00) & kDecomposed, kDecomposed);
  EXPECT_EQ(character_flags(0xE000), kCleaned);
  EXPECT_EQ(character_flags(0x10FFFF), 0);  // the last of the tables
}

TEST(UnicodeTables, MappingsOfWellKnownCharacters) {
  const auto as_string = [](CharacterMapping mapping) { return std::u32string(mapping.begin(), mapping.end()); };
  EXPECT_EQ(as_string(lowercase(0x130)), U"i\u0307");
  EXPECT_EQ(as_string(lowercase('a')), U"");
  EXPECT_EQ(as_string(canonical_decomposition(0x1E69)), U"s\u0323\u0307");
  EXPECT_EQ(as_string(compatible_decomposition(0xFB01)), U"fi");
  EXPECT_EQ(combining_class(0x323), 220);
  EXPECT_EQ(combining_class('a'), 0);
}

TEST(UnicodeTables, CompositionsAreSorted) {
  using unicode_tables::compositions;
  for (size_t i = 1; i < unicode_tables::composition_count; ++i) {
    EXPECT_LT(std::pair(compositions[i - 1].first, compositions[i - 1].second),
              std::pair(compositions[i].first, compositions[i].second));
  }
}

}  // namespace
}  // namespace jina
