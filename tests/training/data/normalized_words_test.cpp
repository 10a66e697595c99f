#include "training/data/normalized_words.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace jina {
namespace {

TEST(NormalizeWords, KeepsLettersAndDigitsInLowerCase) {
  EXPECT_EQ(normalize_words("  What's THE 1st_thing, (then)?\n"), "what s the 1st thing then");
  EXPECT_EQ(normalize_words(""), "");
  EXPECT_EQ(normalize_words("?!"), "");
  EXPECT_EQ(normalize_words("ÀÉ — Größe"), "àé größe");
  EXPECT_EQ(normalize_words("e\u0301t\u00E9"), "e\u0301t\u00E9") << "marks stay with their letters";
  EXPECT_EQ(normalize_words("in 中文, ok中"), "in 中 文 ok 中");
}

TEST(NormalizeWords, SplitGivesTheWordsBack) {
  const std::string text = normalize_words("One, two; three");
  EXPECT_EQ(split_words(text), (std::vector<std::string_view>{"one", "two", "three"}));
  EXPECT_TRUE(split_words("").empty());
}

TEST(HashWordRuns, EqualRunsHaveEqualHashesWhereverTheyAre) {
  const std::string first = "a b c d e f g";
  const std::string second = "x y c d e z";
  const auto a = hash_word_runs(split_words(first), 3);
  const auto b = hash_word_runs(split_words(second), 3);
  ASSERT_EQ(a.size(), 5u);
  ASSERT_EQ(b.size(), 4u);
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) EXPECT_EQ(a[i] == b[j], i == 2 && j == 2) << i << ' ' << j;
  }
  EXPECT_TRUE(hash_word_runs(split_words(first), 8).empty());
  EXPECT_EQ(hash_word_runs(split_words(first), 7).size(), 1u);
  EXPECT_NE(hash_word_runs(split_words("a b"), 2), hash_word_runs(split_words("b a"), 2)) << "the order counts";
}

}  // namespace
}  // namespace jina
