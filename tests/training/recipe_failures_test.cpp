#include "training/written_recipe.h"

namespace jina {
namespace {

using test::expect_refused;
using test::kBeginning;
using test::kPairs;
using test::WrittenRecipe;
using testing::ElementsAre;
using testing::Pair;

/// A generated data set of three lines and more: from line 7 behind kBeginning.
std::string made(const std::string& keys) { return kBeginning + "[[data]]\nname = \"made\"\n" + keys + "\n"; }

const std::string kRated =
    "[[data]]\nname = \"graded\"\nfiles = \"b.jsonl\"\ncolumns = { query = \"q\", positive = \"a\", score = "
    "\"s\" }\n";

DataRecipe read(const std::string& keys) {
  return find_data(WrittenRecipe(made(keys) + kRated + kPairs).read(), "made");
}

TEST(RecipeFailures, AreReadWithTheirDefaults) {
  const DataRecipe data = read("failures = \"names\"\nfrom = \"a\"\nrate = 2");
  ASSERT_TRUE(data.failures.has_value());
  EXPECT_EQ(data.failures->kind, FailureKind::kNames);
  EXPECT_THAT(data.failures->from, ElementsAre("a"));
  EXPECT_FALSE(data.failures->is_held_out);
  EXPECT_EQ(data.most_rows, 4000);
  EXPECT_FALSE(data.is_filtered) << "they are alike by design";
  EXPECT_EQ(data.rate, 2);
  EXPECT_THAT(data.columns, ElementsAre(Pair(Column::kQuery, "query"), Pair(Column::kPositive, "positive"),
                                        Pair(Column::kNegatives, "negatives")));
  EXPECT_EQ(read("failures = \"rated\"\nfrom = \"graded\"").most_rows, 0) << "all";
}

TEST(RecipeFailures, AreReadInFull) {
  const DataRecipe data =
      read("failures = \"polar\"\nfrom = [\"a\", \"graded\"]\nmost_rows = 12\nheld_out = true\nis_filtered = true");
  EXPECT_EQ(data.failures->kind, FailureKind::kPolar);
  EXPECT_THAT(data.failures->from, ElementsAre("a", "graded")) << "data may stand below";
  EXPECT_TRUE(data.failures->is_held_out);
  EXPECT_EQ(data.most_rows, 12);
  EXPECT_TRUE(data.is_filtered);
}

TEST(RecipeFailures, KeysThatDoNotGoTogether) {
  const auto refused = [](const std::string& keys, const std::string& part) {
    expect_refused(made(keys) + kRated + kPairs, part);
  };
  refused("failures = \"names\"\nfrom = \"a\"\nfiles = \"a.jsonl\"", "r.toml:11: 'files': rows of 'failures' are made");
  refused("failures = \"names\"\nfrom = \"a\"\n[data.columns]\ntext = \"t\"", "'columns': rows of 'failures' are made");
  refused("files = \"a.jsonl\"\nfrom = \"a\"", "r.toml:10: 'from' goes with 'failures', not files");
  refused("files = \"a.jsonl\"\nheld_out = true", "r.toml:10: 'held_out' goes with 'failures', not files");
  refused("failures = \"name\"\nfrom = \"a\"", "r.toml:9: 'failures': expected one of lookalike, names, polar, rated");
  refused("failures = \"names\"", "r.toml:7: 'from' is missing");
  refused("failures = \"names\"\nfrom = \"a\"\nmost_rows = 0", "r.toml:11: 'most_rows'");
  refused("failures = \"names\"\nfrom = \"a\"\nheldout = true", "unknown key 'heldout'; did you mean 'held_out'?");
}

TEST(RecipeFailures, DataThatTheyCannotBeMadeOf) {
  const auto refused = [](const std::string& keys, const std::string& part) {
    expect_refused(made(keys) + kRated + kPairs, part);
  };
  refused("failures = \"names\"\nfrom = [\"a\", \"grade\"]",
          "r.toml:10: 'from': no [[data]] is named 'grade'; did you mean 'graded'?");
  refused("failures = \"names\"\nfrom = \"made\"", "r.toml:10: 'from': the rows of 'made' are made themselves");
  refused("failures = \"rated\"\nfrom = \"a\"",
          "r.toml:10: rated rows need 'query', which the columns of the data 'a'");
  refused("failures = \"rated\"\nfrom = [\"a\", \"graded\"]", "r.toml:10: 'from': expected the name of one [[data]]");
  refused("failures = \"rated\"\nfrom = \"graded\"\nheld_out = true", "r.toml:11: 'held_out': expected false");
}

TEST(RecipeFailures, EvaluationsOnData) {
  const std::string recipe =
      made("failures = \"names\"\nfrom = \"a\"") + kPairs + "[[evaluate]]\nname = \"e\"\n";  // 19 lines
  const auto refused = [&](const std::string& keys, const std::string& part) { expect_refused(recipe + keys, part); };
  const EvaluationRecipe read = WrittenRecipe(recipe + "data = \"made\"\nmetric = \"map\"").read().evaluations.at(0);
  EXPECT_EQ(read.data, "made");
  EXPECT_EQ(read.file, "");
  refused("data = \"made\"\nmetric = \"map\"\nfile = \"dev.tsv\"", "r.toml:22: 'file': the rows are those of 'data'");
  refused("data = \"made\"\nmetric = \"map\"\ncolumns = { query = \"q\" }", "r.toml:22: 'columns': the rows are those");
  refused("data = \"mode\"\nmetric = \"map\"", "r.toml:20: 'data': no [[data]] is named 'mode'; did you mean 'made'?");
  refused("data = \"made\"\nmetric = \"spearman\"",
          "r.toml:20: the metric 'spearman' needs 'score', which the data 'made' lack");
  refused("metric = \"map\"", "'file' is missing; expected a file, or 'data' with the name of a [[data]]");
}

}  // namespace
}  // namespace jina
