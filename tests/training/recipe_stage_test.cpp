#include "training/recipe_reader.h"
#include "training/written_recipe.h"

namespace jina {
namespace {

using test::expect_refused;
using test::kBeginning;
using test::WrittenRecipe;
using testing::ElementsAre;
using testing::IsEmpty;

/// One stage of this kind with these lines besides.
std::string stage(const std::string& kind, const std::string& lines) {
  return kBeginning + "[[stage]]\nkind = \"" + kind + "\"\ndata = \"a\"\nsteps = 10\nbatch = 8\n" + lines;
}

StageRecipe read(const std::string& kind, const std::string& lines = "") {
  return WrittenRecipe(stage(kind, lines)).read().stages.at(0);
}

TEST(RecipeStage, DefaultsOfMaskedLanguage) {
  const StageRecipe mlm = read("mlm");
  EXPECT_EQ(mlm.name, "mlm");
  EXPECT_EQ(mlm.objectives.at(0).losses.at(0).name, "mlm");
  EXPECT_EQ(mlm.mask_rate, 0.3);
  EXPECT_EQ(mlm.max_tokens, 512);
  EXPECT_EQ(mlm.optimiser.learning_rate, 1e-4);
  EXPECT_THAT(mlm.train, IsEmpty());
}

TEST(RecipeStage, DefaultsOfPairs) {
  const StageRecipe pairs = read("pairs");
  EXPECT_EQ(pairs.objectives.at(0).losses.at(0).name, "info_nce");
  EXPECT_EQ(pairs.objectives[0].losses[0].temperature, 0.05);
  EXPECT_EQ(pairs.max_tokens, 192);
  EXPECT_EQ(pairs.optimiser.learning_rate, 3e-5);
  EXPECT_EQ(pairs.optimiser.schedule, Schedule::kLinear);
  EXPECT_EQ(pairs.lora_rank, 0);
}

TEST(RecipeStage, DefaultsOfAdapters) {
  const StageRecipe adapters = read("adapters", "loss = \"cosent\"\nquery_task = \"q\"\npositive_task = \"p\"\n");
  EXPECT_TRUE(adapters.train.empty());
  EXPECT_EQ(adapters.lora_rank, 4);
  EXPECT_EQ(adapters.lora_alpha, 1);
  EXPECT_THAT(adapters.tasks, ElementsAre("q", "p"));
  EXPECT_THAT(read("adapters", "loss = \"cosent\"\nquery_task = \"q\"\ntasks = \"other\"\n").tasks,
              ElementsAre("other"));
  expect_refused(stage("adapters", "query_task = \"q\"\n"), "'loss' is missing");
  expect_refused(stage("adapters", "loss = \"cosent\"\n"), "'tasks' is missing");
}

TEST(RecipeStage, DefaultsOfJointAndDistil) {
  const StageRecipe joint = read("joint");
  ASSERT_EQ(joint.objectives.at(0).losses.size(), 3u);
  EXPECT_EQ(joint.objectives[0].losses[1].name, "late_interaction");
  EXPECT_EQ(joint.objectives[0].losses[1].temperature, 0.02);
  const StageRecipe distil = read("distil");
  ASSERT_EQ(distil.objectives.at(0).losses.size(), 1u);
  EXPECT_EQ(distil.objectives[0].losses[0].name, "cosine");
  EXPECT_EQ(distil.optimiser.schedule, Schedule::kCosine);
  EXPECT_EQ(distil.optimiser.final_share, 0.05);
  EXPECT_EQ(distil.optimiser.learning_rate, 5e-4);
}

TEST(RecipeStage, TheRecipeBeatsTheKind) {
  const StageRecipe mlm = read("mlm", "max_tokens = 64\nlearning_rate = 1e-3\nmask_rate = 0.15\nlora_rank = 8\n");
  EXPECT_EQ(mlm.max_tokens, 64);
  EXPECT_EQ(mlm.optimiser.learning_rate, 1e-3) << "keys of the optimiser may stand in the stage";
  EXPECT_EQ(mlm.mask_rate, 0.15);
  EXPECT_EQ(mlm.lora_rank, 8);
}

TEST(RecipeStage, LossesInOneLineOrAsTables) {
  const auto losses = [](const std::string& lines) { return read("pairs", lines).objectives.at(0).losses; };
  EXPECT_EQ(losses("loss = [\"x\", \"y\"]\ntemperature = 0.1").at(1).name, "y");
  EXPECT_EQ(losses("loss = [\"x\", \"y\"]\ntemperature = 0.1").at(1).temperature, 0.1);
  EXPECT_EQ(losses("loss = { name = \"x\", weight = 2 }").at(0).weight, 2);
  const auto tables = losses("[[stage.loss]]\nname = \"x\"\n[[stage.loss]]\nname = \"y\"\nmargin = 3\n");
  EXPECT_EQ(tables.at(1).options.at("margin"), 3);
  EXPECT_THAT(tables.at(1).where, testing::EndsWith("r.toml:14"));
  expect_refused(stage("pairs", "[[stage.loss]]\nweight = 1\n"), "r.toml:12: 'name' is missing");
  expect_refused(stage("pairs", "[[stage.loss]]\nname = \"x\"\nmargin = \"wide\"\n"), "r.toml:14: 'margin'");
  expect_refused(stage("pairs", "loss = []\n"), "'loss': expected the name of a loss");
  expect_refused(stage("pairs", "loss = 3\n"), "r.toml:12: 'loss': expected a list of strings");
}

TEST(RecipeStage, ObjectivesInPlaceOfKeysInTheStage) {
  const std::string two =
      "[[stage]]\nkind = \"pairs\"\nsteps = 10\nbatch = 8\ntemperature = 0.2\n"
      "[[stage.objective]]\ndata = \"a\"\n[[stage.objective]]\ndata = \"a\"\nloss = \"x\"\ntemperature = 0.3\n";
  const StageRecipe stage_of_two = WrittenRecipe(kBeginning + two).read().stages.at(0);
  EXPECT_EQ(stage_of_two.objectives.at(0).losses.at(0).name, "info_nce");
  EXPECT_EQ(stage_of_two.objectives[0].losses[0].temperature, 0.2);
  EXPECT_EQ(stage_of_two.objectives.at(1).losses.at(0).temperature, 0.3);
  expect_refused(stage("pairs", "[[stage.objective]]\ndata = \"a\"\n"), "r.toml:9: unknown key 'data'");
  expect_refused(kBeginning + "[[stage]]\nkind = \"pairs\"\nsteps = 1\nbatch = 1\n", "r.toml:7: 'data' is missing");
}

TEST(RecipeStage, Refused) {
  expect_refused(stage("warm", ""), "r.toml:8: 'kind': expected one of mlm, pairs, adapters, joint, distil");
  expect_refused(kBeginning + "[[stage]]\nname = \"x\"\n", "'kind' is missing");
  expect_refused(kBeginning + "[[stage]]\nkind = \"mlm\"\ndata = \"a\"\nbatch = 1\n", "'steps' is missing");
  expect_refused(kBeginning + "[[stage]]\nkind = \"mlm\"\ndata = \"a\"\nsteps = 1\n", "'batch' is missing");
  expect_refused(stage("pairs", "temperature = 0"), "'temperature': expected a number above 0");
  expect_refused(stage("pairs", "learning_rate = -1"), "'learning_rate': expected a number of at least 0");
  expect_refused(stage("pairs", "schedule = \"cosinus\""), "'schedule': expected one of constant, linear, cosine");
  expect_refused(stage("mlm", "mask_rate = 1.0"), "'mask_rate': expected a number between 0 and 1, both excluded");
  expect_refused(stage("pairs", "beta2 = 1"), "'beta2'");
  expect_refused(stage("pairs", "max_tokens = 0"), "'max_tokens'");
  expect_refused(stage("pairs", "[[stage.objective]]\n"), "r.toml:12: 'data' is missing");
}

}  // namespace
}  // namespace jina
