#include "training/data/failure_cases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/expect_error.h"

namespace jina {
namespace {

FailureCorpus make_corpus() {
  FailureCorpus corpus;
  for (int i = 0; i < 40; ++i) {
    corpus.things.push_back("thing" + std::string{static_cast<char>('a' + i % 26), static_cast<char>('a' + i / 26)});
    corpus.names.push_back("Name" + std::to_string(i));
    const std::string before = "Sentence " + std::to_string(i) + " speaks of ";
    corpus.sentences.push_back(
        {before + corpus.names.back() + " and ends.", before.size(), before.size() + corpus.names.back().size()});
  }
  return corpus;
}

using MakeCases = std::vector<FailureCase> (*)(const FailureCorpus&, const CaseRequest&);

class GeneratedCases : public testing::TestWithParam<MakeCases> {
 protected:
  std::vector<FailureCase> make(int64_t count, uint64_t seed = 1, CaseSplit split = CaseSplit::kTraining) const {
    return GetParam()(make_corpus(), {count, seed, split});
  }
};

TEST_P(GeneratedCases, AllNineTextsDiffer) {
  for (const FailureCase& one : make(500)) {
    std::set<std::string> texts(one.negatives.begin(), one.negatives.end());
    texts.insert({one.query, one.positive});
    EXPECT_EQ(one.negatives.size(), 7u);
    EXPECT_EQ(texts.size(), 9u) << one.query;
    for (const std::string& text : texts) {
      EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
      EXPECT_FALSE(text.empty());
    }
  }
}

TEST_P(GeneratedCases, HeldOutFramesNeverOccurInTraining) {
  std::set<int32_t> training;
  std::set<int32_t> held_out;
  for (const FailureCase& one : make(1000)) training.insert(one.frame);
  for (const FailureCase& one : make(1000, 1, CaseSplit::kHeldOut)) held_out.insert(one.frame);
  EXPECT_GE(held_out.size(), 2u);
  EXPECT_EQ(training.size(), 3 * held_out.size());
  for (const int32_t frame : held_out) EXPECT_FALSE(training.contains(frame));
}

TEST_P(GeneratedCases, ACaseIsAFunctionOfSeedAndNumber) {
  const auto some = make(20);
  const auto more = make(50);
  const auto other = make(20, 2);
  int equal = 0;
  for (size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(some[i].query, more[i].query);
    EXPECT_EQ(some[i].positive, more[i].positive);
    EXPECT_EQ(some[i].negatives, more[i].negatives);
    equal += some[i].query == other[i].query && some[i].negatives == other[i].negatives ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

TEST_P(GeneratedCases, APoorCorpusIsAnError) {
  test::expect_error(ErrorKind::kInvalidInput, "expected a corpus with 16 different",
                     [&] { GetParam()({}, {.count = 1}); });
}

INSTANTIATE_TEST_SUITE_P(Kinds, GeneratedCases,
                         testing::Values(&make_lookalike_cases, &make_name_cases, &make_polar_cases));

/// The words of a text that are things of the corpus.
std::set<std::string> things_in(const std::string& text) {
  std::set<std::string> found;
  for (const std::string& thing : make_corpus().things) {
    const size_t at = text.find(thing);
    const size_t end = at + thing.size();
    if (at != std::string::npos && (end == text.size() || text[end] < 'a' || text[end] > 'z')) found.insert(thing);
  }
  return found;
}

/// Words in common, in order from the front: what two texts of one construction have most of.
size_t common_words(const std::string& a, const std::string& b) {
  size_t words = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i) words += a[i] == ' ' ? 1 : 0;
  return words;
}

TEST(LookalikeCases, NegativesHaveTheQuerysConstructionAndOtherThings) {
  for (const FailureCase& one : make_lookalike_cases(make_corpus(), {300, 3})) {
    const auto things = things_in(one.query);
    ASSERT_EQ(things.size(), 2u);
    EXPECT_EQ(things_in(one.positive), things) << "the positive is about the same";
    EXPECT_EQ(things_in(one.negatives[0]), things) << "in each other's place";
    for (size_t i = 1; i < 7; ++i) EXPECT_NE(things_in(one.negatives[i]), things);
    EXPECT_LT(common_words(one.positive, one.query), 3u) << "another construction";
  }
}

TEST(NameCases, OnlyTheNameChanges) {
  for (const FailureCase& one : make_name_cases(make_corpus(), {300, 3})) {
    const size_t begin = one.positive.find("Name");
    const size_t end = one.positive.find(' ', begin);
    const std::string name = one.positive.substr(begin, end - begin);
    EXPECT_NE(one.query.find(name), std::string::npos);
    for (const std::string& negative : one.negatives) {
      EXPECT_EQ(negative.substr(0, begin), one.positive.substr(0, begin));
      EXPECT_TRUE(negative.ends_with(one.positive.substr(end)));
      EXPECT_NE(negative.substr(begin, negative.find(' ', begin) - begin), name);
    }
  }
}

TEST(NameCases, HeldOutSentencesNeverOccurInTraining) {
  std::set<std::string> training;
  for (const FailureCase& one : make_name_cases(make_corpus(), {500, 1})) training.insert(one.positive);
  for (const FailureCase& one : make_name_cases(make_corpus(), {500, 1, CaseSplit::kHeldOut})) {
    EXPECT_FALSE(training.contains(one.positive));
  }
}

TEST(NameCases, ASentenceIsOnOneSideInWhateverCorpus) {
  FailureCorpus other = make_corpus();
  std::reverse(other.sentences.begin(), other.sentences.end());
  std::set<std::string> training;
  for (const FailureCase& one : make_name_cases(make_corpus(), {500, 1})) training.insert(one.positive);
  for (const FailureCase& one : make_name_cases(other, {500, 1, CaseSplit::kHeldOut})) {
    EXPECT_FALSE(training.contains(one.positive));
  }
}

TEST(PolarCases, PositivesAnswerAndNegativesDoNot) {
  std::map<int32_t, std::set<std::string>> answers;  // frame → first words of positives
  int negated = 0;
  for (const FailureCase& one : make_polar_cases(make_corpus(), {600, 3})) {
    const bool is_yes = one.positive.starts_with("Yes, ");
    EXPECT_TRUE(is_yes || one.positive.starts_with("No, ")) << one.positive;
    answers[one.frame].insert(is_yes ? "yes" : "no");
    negated += one.query.find("n't") != std::string::npos || one.query.find(" not ") != std::string::npos ? 1 : 0;
    EXPECT_TRUE(one.query.ends_with('?'));
    const auto things = things_in(one.query);
    EXPECT_EQ(things_in(one.positive), things);
    for (size_t i = 0; i < 7; ++i) {
      const std::string& negative = one.negatives[i];
      const bool is_answer = negative.starts_with("Yes, ") || negative.starts_with("No, ");
      EXPECT_EQ(is_answer, i >= 5) << negative;
      EXPECT_EQ(things_in(negative) == things, i < 5) << "answers among the negatives are about other things";
    }
  }
  for (const auto& [frame, both] : answers) EXPECT_EQ(both.size(), 2u) << "frame " << frame;
  EXPECT_GT(negated, 100);
}

struct Rated {
  std::string query;
  std::string answer;
  float rating;
};

DataRows make_rated(const std::vector<Rated>& list) {
  DataRows rows;
  rows.name = "rated";
  for (const auto& [query, answer, rating] : list) {
    rows.queries.push_back(rows.texts.add(query));
    rows.positives.push_back(rows.texts.add(answer));
    rows.scores.push_back(rating);
  }
  return rows;
}

std::vector<Rated> rated_list() {
  std::vector<Rated> list{{"q", "middling", 0.7F}, {"q", "bad", 0.1F}, {"q", "best", 0.9F}, {"q", "poor", 0.6F}};
  for (int i = 0; i < 12; ++i) list.push_back({"other" + std::to_string(i), "answer" + std::to_string(i), 0.5F});
  return list;
}

TEST(RatedCases, LowerAnswersFirstThenOthers) {
  const auto cases = make_rated_cases(make_rated(rated_list()), 1);
  ASSERT_EQ(cases.size(), 1u) << "queries with one answer have no lower one";
  EXPECT_EQ(cases[0].query, "q");
  EXPECT_EQ(cases[0].positive, "best");
  ASSERT_EQ(cases[0].negatives.size(), 7u);
  EXPECT_EQ(cases[0].negatives[0], "poor") << "0.3 lower counts, 0.2 does not";
  EXPECT_EQ(cases[0].negatives[1], "bad");
  const std::set<std::string> others(cases[0].negatives.begin() + 2, cases[0].negatives.end());
  EXPECT_EQ(others.size(), 5u);
  for (const std::string& other : others) EXPECT_TRUE(other.starts_with("answer")) << other;
  EXPECT_EQ(make_rated_cases(make_rated(rated_list()), 1)[0].negatives, cases[0].negatives);
  EXPECT_NE(make_rated_cases(make_rated(rated_list()), 2)[0].negatives, cases[0].negatives);
}

TEST(RatedCases, TooLittleIsAnError) {
  auto list = rated_list();
  list.resize(7);
  test::expect_error(ErrorKind::kInvalidInput, "rated: expected 7 different answers",
                     [&] { make_rated_cases(make_rated(list), 1); });
  DataRows none = make_rated(list);
  none.scores.clear();
  test::expect_error(ErrorKind::kInvalidInput, "rated: expected the columns", [&] { make_rated_cases(none, 1); });
}

TEST(ToDataRows, SevenNegativesEach) {
  const auto cases = make_polar_cases(make_corpus(), {3, 1});
  const DataRows rows = to_data_rows(cases, "polar");
  EXPECT_EQ(rows.size(), 3);
  EXPECT_EQ(rows.negative_offsets, (std::vector<int64_t>{0, 7, 14, 21}));
  EXPECT_EQ(rows.texts[rows.positives[2]], cases[2].positive);
  EXPECT_EQ(rows.texts[rows.negatives[20]], cases[2].negatives[6]);
}

}  // namespace
}  // namespace jina
