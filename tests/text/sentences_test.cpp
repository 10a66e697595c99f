#include "text/sentences.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> sentences;
  uint32_t next = 0;
  for (const ByteSpan span : split_sentences(text)) {
    EXPECT_EQ(span.begin, next);  // the spans partition the text
    next = span.end;
    sentences.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  EXPECT_EQ(next, text.size());
  return sentences;
}

using Sentences = std::vector<std::string>;

TEST(Sentences, EndAtTerminatorsBeforeWhiteSpace) {
  EXPECT_EQ(split("One. Two! Three?"), (Sentences{"One.", " Two!", " Three?"}));
  EXPECT_EQ(split("Version 1.5 is out... Now."), (Sentences{"Version 1.5 is out...", " Now."}));
  EXPECT_EQ(split("He said \"go.\" She went."), (Sentences{"He said \"go.\"", " She went."}));
}

TEST(Sentences, EndAtWideTerminatorsWithoutSpace) {
  EXPECT_EQ(split("今天很好。明天呢？"), (Sentences{"今天很好。", "明天呢？"}));
}

TEST(Sentences, EndAtBlankLines) {
  EXPECT_EQ(split("A title\n\nThe text\ngoes on"), (Sentences{"A title", "\n\nThe text\ngoes on"}));
}

TEST(Sentences, WhiteSpaceAloneMakesNone) {
  EXPECT_EQ(split("One.  \n"), (Sentences{"One.  \n"}));
  EXPECT_EQ(split("  "), (Sentences{"  "}));
  EXPECT_TRUE(split("").empty());
}

}  // namespace
}  // namespace jina
