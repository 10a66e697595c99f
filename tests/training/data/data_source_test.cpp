#include "training/data/data_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/expect_error.h"
#include "support/failure_texts.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class DataSourceTest : public testing::Test {
 protected:
  DataSourceTest() {
    add_file("corpus", test::failure_lines(), {{Column::kText, "text"}});
    add_file("rated", test::rated_lines(),
             {{Column::kQuery, "query"}, {Column::kPositive, "answer"}, {Column::kScore, "rating"}});
  }

  DataRecipe& add_file(const std::string& name, const std::string& lines,
                       const std::map<Column, std::string>& columns) {
    files_.write(name + ".jsonl", lines);
    DataRecipe& data = recipe_.data.emplace_back();
    data.name = name;
    data.files = {files_.path(name + ".jsonl")};
    data.columns = columns;
    data.is_filtered = false;
    return data;
  }

  static DataRecipe made(FailureRecipe failures, int64_t rows) {
    DataRecipe data;
    data.name = "made";
    data.failures = std::move(failures);
    data.most_rows = rows;
    data.is_filtered = false;
    return data;
  }

  DataRows rows(const DataRecipe& data) {
    notes_ = {};
    return DataSource(recipe_, 2).rows(data, notes_);
  }

  test::TemporaryDirectory files_;
  Recipe recipe_;
  RowNotes notes_;
};

/// The text with each name and thing replaced: what is left is its template.
std::string template_of(std::string text) {
  for (const auto& words : {test::kFailureNames, test::kFailureThings}) {
    for (const std::string word : words) {
      for (size_t at = text.find(word); at != std::string::npos; at = text.find(word))
        text.replace(at, word.size(), "#");
    }
  }
  return text;
}

TEST_F(DataSourceTest, MakesRowsOfEachKind) {
  for (const FailureKind kind : {FailureKind::kLookalike, FailureKind::kNames, FailureKind::kPolar}) {
    const DataRows made_rows = rows(made({kind, {"corpus"}}, 50));
    EXPECT_EQ(made_rows.name, "made");
    EXPECT_EQ(made_rows.size(), 50);
    EXPECT_EQ(made_rows.negatives.size(), 350u);
    EXPECT_THAT(notes_.lines, ElementsAre("made of a corpus with 20 things, 20 names and 60 sentences that have one"));
    EXPECT_THAT(notes_.removed, IsEmpty());
  }
}

TEST_F(DataSourceTest, RatedOnesAreMadeOfTheBestAndALowerAnswer) {
  const DataRows all = rows(made({FailureKind::kRated, {"rated"}}, 0));
  EXPECT_EQ(all.size(), 12);
  EXPECT_EQ(all.texts[all.positives[3]], "answer 3 rated 0.9");
  EXPECT_EQ(all.texts[all.negatives[21]], "answer 3 rated 0.2");
  EXPECT_EQ(rows(made({FailureKind::kRated, {"rated"}}, 5)).size(), 5);
  add_file("flat", "{\"q\": \"one\", \"p\": \"two\", \"s\": 1}\n",
           {{Column::kQuery, "q"}, {Column::kPositive, "p"}, {Column::kScore, "s"}});
  test::expect_error(ErrorKind::kInvalidInput, "made: no query of 'flat' has an answer rated lower", [&] {
    rows(made({FailureKind::kRated, {"flat"}}, 0));
  });
}

/// Also where the two are made of corpora that differ.
TEST_F(DataSourceTest, HeldOutRowsShareNoTemplateWithTraining) {
  add_file("more", "{\"text\": \"One text more.\"}\n" + test::failure_lines(), {{Column::kText, "text"}});
  for (const FailureKind kind : {FailureKind::kLookalike, FailureKind::kNames, FailureKind::kPolar}) {
    const DataRows training = rows(made({kind, {"corpus"}}, 400));
    const DataRows held_out = rows(made({kind, {"more", "corpus"}, true}, 400));
    const bool is_names = kind == FailureKind::kNames;
    std::set<std::string> seen;
    for (int32_t text = 0; text < training.texts.size(); ++text) {
      // The sentences of the names are all of one form; there it is they that differ.
      seen.insert(is_names ? std::string(training.texts[text]) : template_of(std::string(training.texts[text])));
    }
    for (const std::vector<int32_t>* column : {&held_out.positives, &held_out.negatives}) {
      for (const int32_t text : *column) {
        const std::string own(held_out.texts[text]);
        EXPECT_FALSE(seen.contains(is_names ? own : template_of(own))) << own;
      }
    }
    std::set<std::string> queries;
    for (const int32_t text : training.queries) queries.insert(template_of(std::string(training.texts[text])));
    for (const int32_t text : held_out.queries) {
      EXPECT_FALSE(queries.contains(template_of(std::string(held_out.texts[text]))));
    }
  }
}

TEST_F(DataSourceTest, WhatTheFilterRemovesFromTheirDataIsNotUsed) {
  const DataRecipe names = made({FailureKind::kNames, {"corpus"}}, 2000);
  const auto positives = [&] {
    const DataRows all = rows(names);
    std::set<std::string> texts;
    for (const int32_t text : all.positives) texts.emplace(all.texts[text]);
    return texts;
  };
  const std::set<std::string> before = positives();
  files_.write("evaluation.txt", *before.begin());
  recipe_.filter.near_duplicates = false;
  recipe_.filter.decontaminate = {files_.path("evaluation.txt")};
  EXPECT_EQ(positives(), before) << "the data are not filtered";
  recipe_.data[0].is_filtered = true;
  EXPECT_THAT(positives(), Not(Contains(*before.begin())));
  EXPECT_LT(positives().size(), before.size());
}

TEST_F(DataSourceTest, WhatFiltersRemoveIsCountedWithExamples) {
  DataRecipe& pairs = add_file("pairs",
                               "{\"q\": \"one\", \"p\": \"two\"}\n{\"q\": \"One!\", \"p\": \"two\"}\n"
                               "{\"q\": \"three\", \"p\": \"four\"}\n",
                               {{Column::kQuery, "q"}, {Column::kPositive, "p"}});
  EXPECT_EQ(rows(pairs).size(), 3);
  EXPECT_EQ(notes_, RowNotes());
  pairs.is_filtered = true;
  EXPECT_EQ(rows(pairs).size(), 2);
  EXPECT_THAT(notes_.removed, ElementsAre(Pair("exact duplicate of an earlier row", 1)));
  EXPECT_THAT(notes_.lines, ElementsAre("exact duplicate of an earlier row: One! → two"));
}

TEST_F(DataSourceTest, FiltersThatLeaveNothingAreAnError) {
  DataRecipe& pairs = add_file("pairs", "{\"q\": \"one two three\", \"p\": \"four\"}\n",
                               {{Column::kQuery, "q"}, {Column::kPositive, "p"}});
  pairs.is_filtered = true;
  files_.write("evaluation.txt", "one two three");
  recipe_.filter.decontaminate = {files_.path("evaluation.txt")};
  test::expect_error(ErrorKind::kInvalidInput, "pairs: [filter] removes all of its 1 rows", [&] { rows(pairs); });
}

}  // namespace
}  // namespace jina
