#include "text/text_rewriter.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

using Spans = std::vector<ByteSpan>;

TEST(TextRewriter, CharactersThatStayAtTheirPlaceNeedNoOrigin) {
  NormalizedText text{"a\u00C9b", {}};
  TextRewriter rewriter(text);
  *rewriter.replace_bytes(1) = 'A';
  rewriter.replace_character("\u00E9");
  rewriter.keep(1);
  rewriter.finish();
  EXPECT_EQ(text.text, "A\u00E9b");
  EXPECT_TRUE(text.origin.empty());
}

TEST(TextRewriter, EachByteKnowsTheCharacterItComesFrom) {
  NormalizedText text{"a\u4E2Dx", {}};
  TextRewriter rewriter(text);
  rewriter.drop(1);
  rewriter.replace_character(" \u4E2D ");
  rewriter.keep(1);
  rewriter.finish();
  EXPECT_EQ(text.text, " \u4E2D x");
  EXPECT_EQ(text.origin, (Spans{{1, 4}, {1, 4}, {1, 4}, {1, 4}, {1, 4}, {4, 5}}));
}

TEST(TextRewriter, StepsConsumeAndShareAsTheReferenceDoes) {
  NormalizedText text{"abcd", {}};
  TextRewriter rewriter(text);
  rewriter.put('A', -1);  // replaces a, removes b
  rewriter.put('+', 1);   // added: shares with what is before it
  rewriter.put('C', 0);
  rewriter.finish();  // d was not reached
  EXPECT_EQ(text.text, "A+C");
  EXPECT_EQ(text.origin, (Spans{{0, 1}, {1, 2}, {2, 3}}));
}

TEST(TextRewriter, ASecondRewriteKeepsTheFirstOrigin) {
  NormalizedText text{"xyz", {}};
  TextRewriter first(text);
  first.drop(1);
  first.keep(2);
  first.finish();
  TextRewriter second(text);
  second.replace_character("YY");
  second.keep(1);
  second.finish();
  EXPECT_EQ(text.text, "YYz");
  EXPECT_EQ(text.origin, (Spans{{1, 2}, {1, 2}, {2, 3}}));
}

TEST(TextRewriter, CancelGivesTheTextBack) {
  NormalizedText text{"abc", {}};
  TextRewriter rewriter(text);
  rewriter.drop(2);
  rewriter.cancel();
  EXPECT_EQ(text.text, "abc");
  EXPECT_TRUE(text.origin.empty());
}

TEST(ComposeOrigins, InnerRangesAreReadInTheOuterText) {
  const Spans outer{{5, 6}, {6, 8}, {6, 8}, {9, 10}};
  EXPECT_EQ(compose_origins(outer, {{0, 3}, {3, 4}}), (Spans{{5, 8}, {9, 10}}));
  EXPECT_EQ(compose_origins({}, {{1, 2}}), (Spans{{1, 2}}));
  EXPECT_EQ(compose_origins(outer, {}), outer);
}

}  // namespace
}  // namespace jina
