#include "text/split.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

/// "the-final--countdown" of the reference's documentation, cut at '-'.
std::vector<std::string> cut(SplitBehavior behavior) {
  constexpr std::string_view kText = "the-final--countdown";
  const std::vector<SplitMatch> matches = {{{0, 3}, false}, {{3, 4}, true},   {{4, 9}, false},
                                           {{9, 10}, true}, {{10, 11}, true}, {{11, 20}, false}};
  std::vector<ByteSpan> pieces;
  append_split(matches, behavior, pieces);
  std::vector<std::string> shown;
  for (const ByteSpan& piece : pieces) shown.emplace_back(kText.substr(piece.begin, piece.end - piece.begin));
  return shown;
}

using Pieces = std::vector<std::string>;

TEST(Split, BehavioursAreThoseOfTheReferencesDocumentation) {
  EXPECT_EQ(cut(SplitBehavior::kRemoved), (Pieces{"the", "final", "countdown"}));
  EXPECT_EQ(cut(SplitBehavior::kIsolated), (Pieces{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(cut(SplitBehavior::kMergedWithPrevious), (Pieces{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(cut(SplitBehavior::kMergedWithNext), (Pieces{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(cut(SplitBehavior::kContiguous), (Pieces{"the", "-", "final", "--", "countdown"}));
}

}  // namespace
}  // namespace jina
