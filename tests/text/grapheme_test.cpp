#include "text/grapheme.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jina {
namespace {

/// The clusters of `text`, each followed by '|'.
std::string marked(std::string_view text) {
  std::string out;
  GraphemeCursor cursor(text);
  while (cursor.position() < text.size()) {
    const size_t begin = cursor.position();
    const size_t end = cursor.advance();
    out += text.substr(begin, end - begin);
    out += '|';
  }
  return out;
}

// Expected clusters: unicode-segmentation 1.13.3, graphemes(true).
TEST(Grapheme, LineEndsAndControlsStandAlone) {
  EXPECT_EQ(marked(""), "");
  EXPECT_EQ(marked("ab"), "a|b|");
  EXPECT_EQ(marked("\r\n\n\r"), "\r\n|\n|\r|");
  EXPECT_EQ(marked("\u0001\u0301\u0301"), "\u0001|\u0301\u0301|");
  EXPECT_EQ(marked("a\u200B\u0301"), "a|\u200B|\u0301|");  // U+200B is a control
}

TEST(Grapheme, MarksAndPrependsJoin) {
  EXPECT_EQ(marked("e\u0301\u0323x"), "e\u0301\u0323|x|");
  EXPECT_EQ(marked("\u0928\u0903\u0928"), "\u0928\u0903|\u0928|");  // spacing mark
  EXPECT_EQ(marked("\u0600a\u0600\n"), "\u0600a|\u0600|\n|");
  EXPECT_EQ(marked("\u0600\u0600\u0301"), "\u0600\u0600\u0301|");
}

TEST(Grapheme, HangulSyllables) {
  EXPECT_EQ(marked("\u1100\u1161\u11A8\u1100"), "\u1100\u1161\u11A8|\u1100|");
  EXPECT_EQ(marked("\uAC00\u11A8\uAC01\u1161"), "\uAC00\u11A8|\uAC01|\u1161|");
  EXPECT_EQ(marked("\u1100\uAC01\u11A8"), "\u1100\uAC01\u11A8|");
}

TEST(Grapheme, IndicConjuncts) {
  EXPECT_EQ(marked("\u0915\u094D\u0937\u093F"), "\u0915\u094D\u0937\u093F|");
  EXPECT_EQ(marked("\u0915\u094D\u200D\u0937"), "\u0915\u094D\u200D\u0937|");
  EXPECT_EQ(marked("\u0915\u094D\u200C\u0937"), "\u0915\u094D\u200C|\u0937|");  // not InCB=Extend
  EXPECT_EQ(marked("\u0915\u0301\u0937"), "\u0915\u0301|\u0937|");              // no linker
  EXPECT_EQ(marked("a\u094D\u0937"), "a\u094D|\u0937|");                        // no consonant before
}

TEST(Grapheme, EmojiAndFlags) {
  EXPECT_EQ(marked("\U0001F468\u200D\U0001F469\U0001F467"), "\U0001F468\u200D\U0001F469|\U0001F467|");
  EXPECT_EQ(marked("\U0001F468\u0301\u200D\U0001F469"), "\U0001F468\u0301\u200D\U0001F469|");
  EXPECT_EQ(marked("\U0001F468\u200D\u200D\U0001F469"), "\U0001F468\u200D\u200D|\U0001F469|");
  EXPECT_EQ(marked("a\u200D\U0001F469"), "a\u200D|\U0001F469|");
  EXPECT_EQ(marked("\U0001F1E9\U0001F1EA\U0001F1EB"), "\U0001F1E9\U0001F1EA|\U0001F1EB|");
  EXPECT_EQ(marked("\U0001F1E9\u0301\U0001F1EA"), "\U0001F1E9\u0301|\U0001F1EA|");
}

TEST(Grapheme, TableIsUnicode17) {
  EXPECT_EQ(grapheme_class(0x1ACF), GraphemeClass::kExtend);  // assigned in 17.0
  EXPECT_EQ(grapheme_class(0x94D), GraphemeClass::kLinker);
  EXPECT_EQ(grapheme_class(0x10FFFF), GraphemeClass::kAny);
  EXPECT_EQ(grapheme_class(0xE0FFF), GraphemeClass::kControl);
  EXPECT_EQ(grapheme_class(0x110000), GraphemeClass::kAny);
}

TEST(Grapheme, WalkCanGoOnFromAnyBoundary) {
  const std::string_view text = "ab\U0001F1E9\U0001F1EA\U0001F1EB";
  GraphemeCursor cursor(text);
  cursor.move_to(2);
  EXPECT_EQ(cursor.advance(), 10u);
  EXPECT_EQ(cursor.advance(), 14u);
  EXPECT_EQ(cursor.position(), text.size());
}

}  // namespace
}  // namespace jina
