#include "base/utf8.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

TEST(Utf8, RepairReplacesEachMaximalBrokenPart) {
  EXPECT_EQ(repair_utf8("a\x80z"), "a\uFFFDz");
  EXPECT_EQ(repair_utf8("\xF0\x9F\x92"), "\uFFFD");              // cut emoji: one part
  EXPECT_EQ(repair_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate: three parts
  EXPECT_EQ(repair_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(repair_utf8("\xE4\xB8\xE4\xB8\xAD"), "\uFFFD\u4E2D");
}

TEST(Utf8, ValidTextIsLeftAlone) {
  const std::string text = "plain, \u00E9, \u4E2D, \U0001F600, \uFFFD";
  EXPECT_EQ(find_invalid_utf8(text), std::nullopt);
  EXPECT_EQ(repair_utf8(text), text);
  EXPECT_EQ(find_invalid_utf8("ab\xFF"), 2u);
}

TEST(Utf8, DecodeThenEncodeGivesTheSameBytes) {
  for (const char32_t code_point : {0x24u, 0xA3u, 0x939u, 0x20ACu, 0xFFFDu, 0x10348u, 0x10FFFFu}) {
    std::string text;
    append_utf8(text, code_point);
    size_t position = 0;
    EXPECT_EQ(next_code_point(text, position), code_point);
    EXPECT_EQ(position, text.size());
  }
}

}  // namespace
}  // namespace jina
