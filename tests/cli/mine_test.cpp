#include <filesystem>
#include <map>
#include <set>

#include "support/jina_command.h"

namespace jina {
namespace {

using test::ChildResult;
using testing::ElementsAre;
using testing::HasSubstr;

struct Mined {
  std::string query;
  std::string positive;
  std::vector<std::string> negatives;
};

class MineCommand : public test::JinaCommand {
 protected:
  MineCommand() {
    files_.write(
        "pairs.jsonl",
        "{\"query\": \"capital of France\", \"positive\": \"Paris is the capital city of France\"}\n"
        "{\"query\": \"capital of Spain\", \"positive\": \"Madrid is the capital city of Spain\"}\n"
        "\n"
        "{\"query\": \"boil an egg\", \"positive\": [\"Put the egg in hot water\", \"Eggs boil in minutes\"]}\n"
        "{\"query\": \"capital of France\", \"positive\": \"France has Paris as its capital\"}\n"
        "{\"query\": \"fix a bike\", \"positive\": \"Turn the bike over and find the hole\"}\n");
    // A copy of a positive in another spelling, and one that differs in a single word of nine.
    files_.write("corpus.txt",
                 "paris is the capital, city of FRANCE!\n"
                 "Madrid is the capital city of Spain today\n"
                 "Lyon is a city of France\n");
  }

  ChildResult mine(std::vector<std::string> more, const std::string& out = "out.jsonl") {
    std::vector<std::string> arguments = {"mine", files_.path("pairs.jsonl"), "-o",          files_.path(out),
                                          "-m",   model("bert-tiny-mean"),    "--precision", "f32"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  std::vector<Mined> mined(const std::string& out = "out.jsonl") const {
    std::vector<Mined> rows;
    for (const auto& document : test::parse_lines(read_file(files_.path(out)))) {
      Mined row{std::string(document->root().at("query").as_string()),
                std::string(document->root().at("positive").as_string()),
                {}};
      for (const Json& text : document->root().at("negatives").as_array()) row.negatives.emplace_back(text.as_string());
      rows.push_back(std::move(row));
    }
    return rows;
  }
};

TEST_F(MineCommand, ByWordsTheNearestOtherTextsComeFirst) {
  const ChildResult result = mine({"--method", "bm25", "-n", "2", "--corpus", files_.path("corpus.txt")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto rows = mined();
  ASSERT_EQ(rows.size(), 6u) << "a list of positives gives a row each";
  EXPECT_EQ(rows[0].query, "capital of France");
  EXPECT_THAT(rows[0].negatives, ElementsAre("Lyon is a city of France", "Madrid is the capital city of Spain"))
      << "neither the other answer, nor the copy of this one";
  EXPECT_EQ(rows[3].positive, "Eggs boil in minutes");
  EXPECT_EQ(rows[1].query, "capital of Spain");
  EXPECT_EQ(rows[1].negatives.size(), 2u);
  EXPECT_THAT(rows[1].negatives, testing::Not(testing::Contains("Madrid is the capital city of Spain today")));
  EXPECT_THAT(result.errors, HasSubstr("6 pairs of 4 queries, 9 documents"));
  EXPECT_THAT(result.errors, HasSubstr("near duplicates"));
}

TEST_F(MineCommand, NeverAKnownAnswerAndTheSameForEveryBlockSize) {
  const std::vector<std::string> common = {"-n", "3", "--relative-margin", "0", "--scores"};
  const auto with = [&](std::vector<std::string> more, const std::string& out) {
    more.insert(more.begin(), common.begin(), common.end());
    const ChildResult result = mine(more, out);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return read_file(files_.path(out));
  };
  const std::string whole = with({}, "a.jsonl");
  EXPECT_EQ(whole, with({"--block-rows", "2"}, "b.jsonl"));
  EXPECT_EQ(whole, with({"--threads", "1"}, "c.jsonl"));
  const std::string random = with({"--sampling", "random", "--seed", "3"}, "d.jsonl");
  EXPECT_EQ(random, with({"--sampling", "random", "--seed", "3"}, "e.jsonl"));

  std::map<std::string, std::set<std::string>> answers;
  for (const Mined& row : mined("a.jsonl")) answers[row.query].insert(row.positive);
  for (const Mined& row : mined("a.jsonl")) {
    EXPECT_EQ(row.negatives.size(), 3u);
    for (const std::string& negative : row.negatives) EXPECT_FALSE(answers[row.query].contains(negative)) << negative;
  }
}

TEST_F(MineCommand, MarginIsHeldAgainstTheCosinesThatAreWritten) {
  ASSERT_EQ(mine({"--scores", "--relative-margin", "0.02", "-n", "4"}).exit_code, 0);
  int compared = 0;
  for (const auto& document : test::parse_lines(read_file(files_.path("out.jsonl")))) {
    const double positive = document->root().at("positive_score").as_double();
    for (const float score : test::floats(document->root().at("negative_scores"))) {
      EXPECT_LE(score, positive - 0.02 * std::fabs(positive) + 1e-6);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
}

TEST_F(MineCommand, RowsThatGetTooFew) {
  const ChildResult some = mine({"-n", "50", "--relative-margin", "0"});
  EXPECT_EQ(some.exit_code, 0);
  EXPECT_THAT(some.errors, HasSubstr("6 of 6 rows got fewer than 50 negatives"));
  EXPECT_EQ(mined().size(), 6u);
  EXPECT_EQ(mine({"-n", "50", "--only-full"}, "none.jsonl").exit_code, 0);
  EXPECT_EQ(read_file(files_.path("none.jsonl")), "");
}

TEST_F(MineCommand, WrongInputs) {
  const auto wrong = [&](const std::string& content, const std::string& part) {
    files_.write("pairs.jsonl", content);
    const ChildResult result = mine({"--method", "bm25"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.errors, HasSubstr(part));
    EXPECT_FALSE(std::filesystem::exists(files_.path("out.jsonl")));
    EXPECT_FALSE(std::filesystem::exists(files_.path("out.jsonl.part")));
  };
  wrong("{\"query\": \"a\", \"positive\": \"b\"}\n{\"query\": \"a\"}\n", "pairs.jsonl:2");
  wrong("{\"query\": 3, \"positive\": \"b\"}\n", "'query'");
  wrong("{\"query\": \"a\", \"positive\": [\" \"]}\n", "pairs.jsonl:1, 'positive'");
  wrong("not json\n", "pairs.jsonl:1");
  wrong("\n", "found none");
  EXPECT_EQ(run({"mine", files_.path("absent"), "-o", files_.path("o")}).exit_code, 2);
  files_.write("pairs.jsonl", "{\"query\": \"a\", \"positive\": \"b\"}\n");
  EXPECT_THAT(mine({"--method", "bm25", "--max-score", "0.5"}).errors, HasSubstr("--max-score"));
  EXPECT_THAT(mine({"--range-min", "100"}).errors, HasSubstr("--range-min"));
  EXPECT_THAT(mine({"--corpus", files_.path("absent")}).errors, HasSubstr("absent"));
}

}  // namespace
}  // namespace jina
