#include "training/data/near_duplicates.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace jina {
namespace {

std::string random_text(uint64_t seed, int words) {
  const CounterRng rng(seed, "text");
  std::string text;
  for (int i = 0; i < words; ++i) {
    if (i > 0) text += ' ';
    for (uint64_t c = 0; c < 4 + rng.bits(static_cast<uint64_t>(i)) % 5; ++c) {
      text += static_cast<char>('a' + rng.bits(1000 + static_cast<uint64_t>(i) * 10 + c) % 26);
    }
  }
  return text;
}

std::vector<int64_t> find(const std::vector<RowTexts>& rows, int threads = 1) {
  ThreadPool pool(threads);
  return find_near_duplicates(
      static_cast<int64_t>(rows.size()), [&](int64_t row) { return rows[static_cast<size_t>(row)]; }, pool);
}

TEST(PieceSimilarity, ByHand) {
  EXPECT_DOUBLE_EQ(piece_similarity("abcdef", "abcdef"), 1);
  // " abcd", "abcde", "bcde " and " abcd", "abcdf", "bcdf ": one of five in common.
  EXPECT_DOUBLE_EQ(piece_similarity("abcde", "abcdf"), 0.2);
  EXPECT_DOUBLE_EQ(piece_similarity("a", "b"), 0);
  EXPECT_DOUBLE_EQ(piece_similarity("", ""), 1);
}

TEST(NearDuplicates, FoundAboveTheBoundAndOnlyThere) {
  std::vector<RowTexts> rows;
  std::vector<bool> is_near;
  for (uint64_t i = 0; i < 300; ++i) {
    const std::string text = random_text(i, 60);
    rows.push_back({{text}});
    is_near.push_back(false);
    std::string changed = text;
    for (uint64_t n = 0; n < 1 + i % 12; ++n) changed[changed.size() * n / 12] = '9';
    rows.push_back({{changed}});
    is_near.push_back(piece_similarity(text, changed) >= 0.8);
  }
  const auto found = find(rows);
  int64_t near = 0;
  int64_t missed = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    near += is_near[i] ? 1 : 0;
    if (found[i] >= 0) {
      EXPECT_TRUE(is_near[i]) << i;
      EXPECT_EQ(found[i], static_cast<int64_t>(i) - 1);
    } else if (is_near[i]) {
      ++missed;
    }
  }
  EXPECT_GT(near, 150);
  EXPECT_LT(near, 300) << "some changes are too many";
  EXPECT_LE(missed, 1) << "of " << near;
}

TEST(NearDuplicates, BothSidesMustBeNear) {
  const std::string query = random_text(1, 8);
  const std::string other_query = random_text(2, 8);
  const std::string positive = random_text(3, 200);
  EXPECT_EQ(find({{{query, positive}}, {{other_query, positive}}}), (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(find({{{query, positive}}, {{query, positive + " more"}}}), (std::vector<int64_t>{-1, 0}));
  EXPECT_EQ(find({{{query, "x"}}, {{query, "y"}}}), (std::vector<int64_t>{-1, -1}));
}

TEST(NearDuplicates, GroupsAreApart) {
  const std::string text = random_text(1, 10);
  EXPECT_EQ(find({{{text}, 1}, {{text}, 2}, {{text}, 1}}), (std::vector<int64_t>{-1, -1, 0}));
}

TEST(NearDuplicates, ThreadsDoNotChangeTheResult) {
  std::vector<RowTexts> rows;
  for (uint64_t i = 0; i < 2000; ++i) rows.push_back({{random_text(i % 700, 12) + (i % 3 == 0 ? " end" : "")}});
  const auto expected = find(rows, 1);
  EXPECT_EQ(find(rows, 4), expected);
  EXPECT_GT(std::count_if(expected.begin(), expected.end(), [](int64_t row) { return row >= 0; }), 1000);
}

}  // namespace
}  // namespace jina
