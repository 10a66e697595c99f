#include "search/negatives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace jina {
namespace {

std::vector<int64_t> documents(const std::vector<Candidate>& candidates) {
  std::vector<int64_t> result;
  for (const Candidate& candidate : candidates) result.push_back(candidate.document);
  return result;
}

TEST(Negatives, TextsOfTheSameWords) {
  EXPECT_EQ(text_key("The cat, sat!"), text_key("  the CAT sat"));
  EXPECT_NE(text_key("the cat sat"), text_key("the sat cat"));
  EXPECT_NE(text_key("ab c"), text_key("a bc"));
  EXPECT_DOUBLE_EQ(word_overlap(word_set("a b c c"), word_set("B c d")), 0.5);
  EXPECT_EQ(word_overlap(word_set(""), word_set("")), 0);
  EXPECT_EQ(word_overlap(word_set("x"), word_set("X.")), 1);
}

TEST(Negatives, RankingsAreUnitedByTheBetterRank) {
  const std::vector<Hit> dense = {{4, 0.9F}, {7, 0.8F}, {1, 0.7F}};
  const std::vector<Hit> words = {{9, 12}, {4, 11}, {1, 10}, {2, 9}};
  const auto is_known = [](int64_t document) { return document == 4; };
  const auto united = unite_rankings(dense, words, {0.1F, 0.9F, 0.7F, 0.2F}, is_known);
  EXPECT_EQ(documents(united), (std::vector<int64_t>{7, 9, 1, 2})) << "4 is known and counts for no rank";
  EXPECT_EQ(united[0].rank, 0);
  EXPECT_EQ(united[1].rank, 0);
  EXPECT_EQ(united[2].rank, 1);
  EXPECT_EQ(united[3].rank, 2);
  EXPECT_FLOAT_EQ(united[1].score, 0.1F);
  EXPECT_FLOAT_EQ(united[2].score, 0.7F);
  const auto by_words = unite_rankings({}, words, {}, is_known);
  EXPECT_EQ(documents(by_words), (std::vector<int64_t>{9, 1, 2}));
  EXPECT_TRUE(std::isnan(by_words[0].score));
}

class ChooseNegatives : public testing::Test {
 protected:
  ChooseNegatives() {
    for (int64_t i = 0; i < 10; ++i) {
      ranked_.push_back({.document = 100 + i, .rank = i, .score = 0.9F - 0.1F * static_cast<float>(i)});
    }
  }
  std::vector<int64_t> choose(float positive = 0.8F, uint64_t row = 0) {
    counts_ = {};
    const auto is_duplicate = [&](int64_t document) { return duplicates_.contains(document); };
    return documents(choose_negatives(ranked_, positive, rules_, row, is_duplicate, counts_));
  }

  std::vector<Candidate> ranked_;  // scores 0.9, 0.8, … 0.0
  std::set<int64_t> duplicates_;
  NegativeRules rules_{.count = 3};
  NegativeCounts counts_;
};

TEST_F(ChooseNegatives, LeavesOutWhatScoresLikeThePositive) {
  EXPECT_EQ(choose(0.8F), (std::vector<int64_t>{102, 103, 104})) << "0.9 and 0.8 are above 0.76";
  EXPECT_EQ(counts_.too_close, 2);
  EXPECT_EQ(counts_.candidates, 10);
  rules_.relative_margin.reset();
  EXPECT_EQ(choose(0.8F), (std::vector<int64_t>{100, 101, 102}));
  rules_.absolute_margin = 0.35;
  EXPECT_EQ(choose(0.8F), (std::vector<int64_t>{105, 106, 107}));
  rules_.absolute_margin.reset();
  rules_.max_score = 0.55;
  rules_.min_score = 0.45;
  EXPECT_EQ(choose(0.8F), (std::vector<int64_t>{104}));
  EXPECT_EQ(counts_.too_close, 4);
  EXPECT_EQ(counts_.too_far, 5);
}

TEST_F(ChooseNegatives, MarginOfANegativePositiveScoreIsStillBelowIt) {
  ranked_ = {{.document = 1, .rank = 0, .score = -0.2F}, {.document = 2, .rank = 1, .score = -0.3F}};
  EXPECT_EQ(choose(-0.2F), (std::vector<int64_t>{2}));
}

TEST_F(ChooseNegatives, RanksAndDuplicates) {
  rules_.range_min = 3;
  rules_.range_max = 6;
  duplicates_ = {104};
  EXPECT_EQ(choose(), (std::vector<int64_t>{103, 105}));
  EXPECT_EQ(counts_.out_of_range, 7);
  EXPECT_EQ(counts_.duplicates, 1);
}

TEST_F(ChooseNegatives, RandomChoiceIsAFunctionOfSeedAndRow) {
  rules_.sampling = NegativeSampling::kRandom;
  rules_.relative_margin.reset();
  EXPECT_EQ(choose(0.8F, 5), choose(0.8F, 5));
  std::set<std::vector<int64_t>> different;
  std::set<int64_t> seen;
  for (uint64_t row = 0; row < 40; ++row) {
    const auto chosen = choose(0.8F, row);
    EXPECT_THAT(chosen, testing::SizeIs(3));
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end())) << "best rank first";
    different.insert(chosen);
    seen.insert(chosen.begin(), chosen.end());
  }
  EXPECT_GT(different.size(), 20u);
  EXPECT_EQ(seen.size(), 10u);
}

}  // namespace
}  // namespace jina
