#include "training/recipe_reader.h"
#include "training/written_recipe.h"

namespace jina {
namespace {

using test::expect_refused;
using test::kBeginning;
using test::kPairs;
using test::WrittenRecipe;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(RecipeOverrides, ByPath) {
  const WrittenRecipe written(kBeginning + kPairs);
  const Recipe recipe = written.read({"run.seed=3", "stage.short.steps = 25", "stage.short.optimiser.clip=0.5",
                                      "model.matryoshka=[8, 16]", "data.a.columns.query=question",
                                      "stage.short.reset_optimiser=false", "filter.near_duplicates=false"});
  EXPECT_EQ(recipe.seed, 3u) << "a table that the recipe lacks is made";
  EXPECT_EQ(recipe.stages.at(0).steps, 25);
  EXPECT_EQ(recipe.stages[0].optimiser.clip, 0.5);
  EXPECT_THAT(recipe.model.matryoshka, ElementsAre(8, 16));
  EXPECT_EQ(recipe.data.at(0).columns.at(Column::kQuery), "question");
  EXPECT_FALSE(recipe.stages[0].reset_optimiser);
  EXPECT_FALSE(recipe.filter.near_duplicates);
}

TEST(RecipeOverrides, LaterOnesWinAndStringsNeedNoQuotes) {
  const WrittenRecipe written(kBeginning + kPairs);
  EXPECT_EQ(written.read({"run.seed=3", "run.seed=4"}).seed, 4u);
  EXPECT_EQ(written.read({"run.output=out/a b"}).output, written.path("out/a b"));
  EXPECT_EQ(written.read({"run.output=\"quoted\""}).output, written.path("quoted"));
  EXPECT_EQ(written.read({"run.output=say \"x\""}).output, written.path("say \"x\""));
}

TEST(RecipeOverrides, StagesByKindAndObjectivesByNumber) {
  const std::string stage = "[[stage]]\nkind = \"pairs\"\nsteps = 1\nbatch = 2\n";
  const WrittenRecipe written(kBeginning + stage +
                              "[[stage.objective]]\ndata = \"a\"\n[[stage.objective]]\ndata = \"a\"\n");
  const Recipe recipe = written.read({"stage.pairs.objective.2.rate=0.5", "stage.1.steps=9"});
  EXPECT_EQ(recipe.stages.at(0).steps, 9);
  EXPECT_EQ(recipe.stages[0].objectives.at(0).rate, 1);
  EXPECT_EQ(recipe.stages[0].objectives.at(1).rate, 0.5);
  test::expect_error(ErrorKind::kInvalidInput, "no [[objective]] is named '3'",
                     [&] { written.read({"stage.pairs.objective.3.rate=1"}); });
}

TEST(RecipeOverrides, UnknownPaths) {
  const std::string text = kBeginning + kPairs;
  expect_refused(text, "--set run.sed=1: unknown key 'sed'; did you mean 'seed'?", {"run.sed=1"});
  expect_refused(text, "--set rnu.seed=1: unknown key 'rnu'; did you mean 'run'?", {"rnu.seed=1"});
  expect_refused(text, "--set stage.shrt.steps=1: no [[stage]] is named 'shrt'; did you mean 'short'?; the recipe has",
                 {"stage.shrt.steps=1"});
  expect_refused(text, "--set stage.short.step=1: unknown key 'step'; did you mean 'steps'?", {"stage.short.step=1"});
  expect_refused(text, "expected a key behind 'short'", {"stage.short=1"});
  expect_refused(text, "expected KEY.PATH=VALUE", {"stage.short.steps"});
  expect_refused(text, "expected KEY.PATH=VALUE", {"=1"});
  expect_refused(text, "--set a b=1", {"a b=1"});
}

TEST(RecipeOverrides, ValuesAreChecked) {
  expect_refused(kBeginning + kPairs, "--set stage.short.steps=0: 'steps': expected a whole number above 0, found 0",
                 {"stage.short.steps=0"});
  expect_refused(kBeginning + kPairs, "--set stage.short.steps=many: 'steps': expected a whole number",
                 {"stage.short.steps=many"});
}

TEST(RecipeOverrides, CanonicalText) {
  const WrittenRecipe written(kBeginning + kPairs);
  const WrittenRecipe other("# the same, otherwise written\n" + kPairs + "[[data]]\nfiles = 'a.jsonl'\nname = 'a'\n" +
                            "[model]\nfrom = '''model'''\n");
  EXPECT_EQ(written.read().text, other.read().text);
  EXPECT_NE(written.read().text, written.read({"run.seed=2"}).text);
  EXPECT_EQ(written.read({"stage.short.steps=12"}).text, other.read({"stage.short.steps=12"}).text);
  EXPECT_THAT(other.read().text, Not(HasSubstr("otherwise")));
  // What is written reads back as the same recipe.
  const WrittenRecipe again(written.read({"run.seed=2", "stage.short.temperature=0.1"}).text);
  EXPECT_EQ(again.read().seed, 2u);
  EXPECT_EQ(again.read().stages.at(0).objectives.at(0).losses.at(0).temperature, 0.1);
  EXPECT_EQ(again.read().text, written.read({"run.seed=2", "stage.short.temperature=0.1"}).text);
}

}  // namespace
}  // namespace jina
