#include "training/data/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "support/shared_files.h"
#include "training/data/normalized_words.h"

namespace jina {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

struct Pair {
  std::string query;
  std::string positive;
};

DataRows make_pairs(const std::vector<Pair>& pairs) {
  DataRows rows;
  rows.name = "pairs";
  for (const Pair& pair : pairs) {
    rows.queries.push_back(rows.texts.add(pair.query));
    rows.positives.push_back(rows.texts.add(pair.positive));
  }
  return rows;
}

FilterResult run(const DataRows& rows, const FilterRecipe& recipe = {}, const EvaluationTexts& evaluation = {}) {
  ThreadPool pool(2);
  return filter_rows(rows, recipe, evaluation, pool);
}

FilterRecipe with(double substring, bool exact = true, bool near = true) {
  FilterRecipe recipe;
  recipe.substring = substring;
  recipe.exact_duplicates = exact;
  recipe.near_duplicates = near;
  return recipe;
}

int64_t removed(const FilterResult& result, FilterRule rule) {
  return result.report.rules[static_cast<size_t>(rule)].removed;
}

TEST(SubstringPair, ShareOfTheShorterTextsWords) {
  const auto is_pair = [](const std::string& a, const std::string& b) {
    return is_substring_pair(normalize_words(a), normalize_words(b), 0.8, 4);
  };
  EXPECT_TRUE(is_pair("a b c d e", "d, c b a and others besides")) << "four of five";
  EXPECT_FALSE(is_pair("aa bb cc dd xx", "dd cc bb and others besides")) << "three of five";
  EXPECT_FALSE(is_pair("one two three", "one two three four")) << "fewer than four words";
  EXPECT_TRUE(is_pair("one two three four and more", "ONE two Three four")) << "either side may be the shorter";
  EXPECT_TRUE(is_pair("cat on the mat", "concatenation with matters long and therefore more")) << "inside words";
  EXPECT_FALSE(is_pair("", "one two three four"));
  EXPECT_TRUE(is_pair("b c d e", "a b c d e f")) << "no more words than needed";
}

TEST(Filter, SubstringRuleIsForPlainPairs) {
  const std::vector<Pair> pairs{{"red green blue grey", "red green blue grey and more colours"},
                                {"what is a colour", "something seen"}};
  DataRows rows = make_pairs(pairs);
  EXPECT_THAT(run(rows).kept, ElementsAre(1));
  EXPECT_THAT(run(rows, with(0)).kept, ElementsAre(0, 1));
  rows.scores = {1, 0};
  EXPECT_THAT(run(rows).kept, ElementsAre(0, 1));
}

TEST(Filter, ExactDuplicatesAreComparedNormalised) {
  const DataRows rows = make_pairs(
      {{"A query", "The answer"}, {"a  query!", "the ANSWER."}, {"A query", "another"}, {"the answer", "a query"}});
  const FilterRecipe recipe = with(0.8, true, false);
  const FilterResult result = run(rows, recipe);
  EXPECT_THAT(result.kept, ElementsAre(0, 2, 3));
  EXPECT_EQ(removed(result, FilterRule::kExactDuplicate), 1);
  EXPECT_THAT(run(rows, with(0.8, false, false)).kept, ElementsAre(0, 1, 2, 3));
}

TEST(Filter, NearDuplicates) {
  const std::string query = "how are the leaves of the tree called that stands beside the old well";
  const std::string answer = "nobody in the village remembers the name although every child has asked for it once";
  DataRows rows = make_pairs({{query, answer}, {query + "s", answer + " more"}, {query, "unknown"}});
  const FilterResult result = run(rows, with(0));
  EXPECT_THAT(result.kept, ElementsAre(0, 2));
  EXPECT_EQ(removed(result, FilterRule::kNearDuplicate), 1);
  EXPECT_EQ(run(rows, with(0, true, false)).report.kept, 3);
  rows.labels = {0, 1, 0};
  EXPECT_EQ(run(rows).report.kept, 3) << "of another label";
  rows.labels.clear();
  rows.scores = {1, 2, 3};
  EXPECT_EQ(run(rows).report.kept, 3) << "graded pairs";
}

TEST(Filter, EvaluationTextsInAnyPlace) {
  EvaluationTexts evaluation;
  add_evaluation_text("the text to be kept apart", evaluation);
  add_evaluation_text("one two three four five six seven eight nine", evaluation);
  DataRows rows = make_pairs({{"The text, to be kept apart", "first"},
                              {"second", "zero one two three four five six seven eight"},
                              {"third", "fine"},
                              {"fourth", "fine"}});
  rows.negative_offsets = {0, 0, 0, 1, 2};
  rows.negatives = {rows.texts.add("the text to be kept apart"), rows.texts.add("fine too")};
  const FilterResult result = run(rows, {}, evaluation);
  EXPECT_THAT(result.kept, ElementsAre(3));
  EXPECT_EQ(removed(result, FilterRule::kEvaluationEqual), 2);
  EXPECT_EQ(removed(result, FilterRule::kEvaluationShort), 1);
}

TEST(Filter, ReportCountsAndShowsThreeExamples) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 6; ++i) pairs.push_back({"same\nquery", std::string(150, 'x')});
  const FilterResult result = run(make_pairs(pairs));
  EXPECT_EQ(result.report.rows, 6);
  EXPECT_EQ(result.report.kept, 1);
  const auto& rule = result.report.rules[static_cast<size_t>(FilterRule::kExactDuplicate)];
  EXPECT_EQ(rule.removed, 5);
  EXPECT_EQ(rule.examples, std::vector<std::string>(3, "same query → " + std::string(100, 'x') + "…"));
  const RowNotes notes = describe(result.report);
  EXPECT_THAT(notes.removed, ElementsAre(testing::Pair("exact duplicate of an earlier row", 5)));
  ASSERT_EQ(notes.lines.size(), 3u);
  EXPECT_THAT(notes.lines[2], StartsWith("exact duplicate of an earlier row: same query → xx"));
}

TEST(Filter, RowsOfOneTextHaveNoPairRules) {
  DataRows rows;
  for (const std::string text : {"one two three four", "one two three four", "five six seven eight"}) {
    rows.queries.push_back(rows.texts.add(text));
  }
  EXPECT_THAT(run(rows).kept, ElementsAre(0, 2));
}

/// All of the project's pairs: linear work, and the evaluation sets were held apart when they were made.
TEST(FilterSlow, TrainingTextOfTheProject) {
  const std::string folder = test::shared_path("data/train");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is absent";
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".gz") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  const EvaluationTexts evaluation = read_evaluation_texts({test::shared_path("data/retrieval/scifact/corpus.jsonl.gz"),
                                                            test::shared_path("data/retrieval/nfcorpus/test.docs.gz"),
                                                            test::shared_path("data/sts/stsbenchmark.tsv.gz")});
  double seconds = 0;
  int64_t total = 0;
  for (const std::string& file : files) {
    DataRecipe recipe;
    recipe.name = std::filesystem::path(file).stem().stem().string();
    recipe.files = {file};
    if (recipe.name.starts_with("text")) {
      recipe.columns = {{Column::kText, "text"}};
    } else {
      recipe.columns = {{Column::kQuery, "query"}, {Column::kPositive, "positive"}, {Column::kNegatives, "negative"}};
    }
    const auto start = std::chrono::steady_clock::now();
    const DataRows rows = read_data_rows(recipe);
    const auto middle = std::chrono::steady_clock::now();
    const FilterResult result = run(rows, {}, evaluation);
    const std::chrono::duration<double> reading = middle - start;
    const std::chrono::duration<double> filtering = std::chrono::steady_clock::now() - middle;
    seconds += reading.count() + filtering.count();
    total += rows.size();
    std::cout << recipe.name << ": " << result.report.kept << " of " << rows.size() << " rows kept, read in "
              << reading.count() << " s, filtered in " << filtering.count() << " s\n";
    EXPECT_EQ(removed(result, FilterRule::kEvaluationShort) + removed(result, FilterRule::kEvaluationLong), 0);
  }
  std::cout << total << " rows in " << seconds << " s\n";
  EXPECT_GT(total, 370'000);
  EXPECT_LT(seconds, 120) << "also on a busy machine";
}

}  // namespace
}  // namespace jina
