#include "training/recipe.h"

#include <filesystem>

#include "training/written_recipe.h"

namespace jina {
namespace {

using test::expect_refused;
using test::kBeginning;
using test::kPairs;
using test::WrittenRecipe;
using testing::ElementsAre;
using testing::Pair;

constexpr const char* kEverything = R"(
[run]
seed = 7
output = "out"
data_folder = "corpus"
precision = "bf16"
device = "cpu"
threads = 3
checkpoint_every = 11
keep_checkpoints = 4
evaluate_every = 5

[model]
from = "model"
initialise = "rotary"
max_tokens = 8192
rotary_base = 20000
align_heads = false
align_data = "a"
align_texts = 12
matryoshka = [32, 64]

[[data]]
name = "a"
files = ["x.jsonl", "/absolute/y.csv.gz"]
columns = { query = "question", negatives = "wrong" }
rate = 2
language = "en"
most_rows = 1000
is_filtered = false

[filter]
substring = 0.7
substring_words = 5
exact_duplicates = false
near_duplicates = false
decontaminate = ["test.tsv"]

[[stage]]
name = "one"
kind = "distil"
steps = 3
batch = 4
max_tokens = 96
matryoshka = [16, 32]
sampling_temperature = 1.5
train = ["*.weight"]
freeze = ["embeddings.*"]
lora_rank = 2
lora_alpha = 8
tasks = ["separation"]
dropout = 0.1
chunk_tokens = 4096
checkpointing = true
mask_rate = 0.15
teacher = "teacher"
teacher_tokens = 254
reset_optimiser = false

[stage.optimiser]
learning_rate = 2e-4
embedding_rate = 0.03
beta1 = 0.8
beta2 = 0.95
epsilon = 1e-8
weight_decay = 0
clip = 0.5
schedule = "inverse_square_root"
warmup = 100
final_share = 0.1

[[stage.objective]]
data = ["a"]
rate = 0.25
query_task = "retrieval.query"
positive_task = "retrieval.passage"
query_prompt = "Q: "
positive_prompt = "P: "
instructions = false
batch = 2
max_tokens = 64

[[stage.objective.loss]]
name = "triplet"
weight = 0.5
temperature = 0.02
margin = 0.25
is_hard = true

[[stage.objective.loss]]
name = "spread"

[[evaluate]]
name = "dev"
file = "dev.tsv"
columns = { query = "s1", positive = "s2", score = "gold" }
metric = "ndcg@10"
query_task = "retrieval.query"
positive_task = "retrieval.passage"
dimensions = 128
keeps_best = true
)";

Recipe read_everything() {
  const WrittenRecipe recipe(kEverything);
  Recipe read = recipe.read({}, {.checks_files = false});
  EXPECT_EQ(read.path, recipe.path("r.toml"));
  EXPECT_EQ(read.output, recipe.path("out"));
  EXPECT_EQ(read.data_folder, recipe.path("corpus"));
  EXPECT_EQ(read.model.from, recipe.path("model"));
  EXPECT_THAT(read.data.at(0).files, ElementsAre(recipe.path("corpus/x.jsonl"), "/absolute/y.csv.gz"));
  EXPECT_THAT(read.filter.decontaminate, ElementsAre(recipe.path("corpus/test.tsv")));
  EXPECT_EQ(read.stages.at(0).teacher, recipe.path("teacher"));
  EXPECT_EQ(read.evaluations.at(0).file, recipe.path("corpus/dev.tsv"));
  return read;
}

TEST(Recipe, ReadsRunModelDataAndFilter) {
  const Recipe recipe = read_everything();
  EXPECT_EQ(recipe.seed, 7u);
  EXPECT_EQ(recipe.precision, "bf16");
  EXPECT_EQ(recipe.device, "cpu");
  EXPECT_EQ(recipe.threads, 3);
  EXPECT_EQ(recipe.checkpoint_every, 11);
  EXPECT_EQ(recipe.keep_checkpoints, 4);
  EXPECT_EQ(recipe.evaluate_every, 5);
  EXPECT_EQ(recipe.model.initialise, Initialise::kRotary);
  EXPECT_EQ(recipe.model.max_tokens, 8192);
  EXPECT_EQ(recipe.model.rotary_base, 20000);
  EXPECT_FALSE(recipe.model.align_heads);
  EXPECT_EQ(recipe.model.align_data, "a");
  EXPECT_EQ(recipe.model.align_texts, 12);
  EXPECT_THAT(recipe.model.matryoshka, ElementsAre(32, 64));
  const DataRecipe& data = recipe.data.at(0);
  EXPECT_THAT(data.columns, ElementsAre(Pair(Column::kQuery, "question"), Pair(Column::kNegatives, "wrong")));
  EXPECT_EQ(data.rate, 2);
  EXPECT_EQ(data.language, "en");
  EXPECT_EQ(data.most_rows, 1000);
  EXPECT_FALSE(data.is_filtered);
  EXPECT_EQ(recipe.filter.substring, 0.7);
  EXPECT_EQ(recipe.filter.substring_words, 5);
  EXPECT_FALSE(recipe.filter.exact_duplicates);
  EXPECT_FALSE(recipe.filter.near_duplicates);
}

TEST(Recipe, ReadsStages) {
  const Recipe recipe = read_everything();
  const StageRecipe& stage = recipe.stages.at(0);
  EXPECT_EQ(stage.name, "one");
  EXPECT_EQ(stage.kind, "distil");
  EXPECT_EQ(stage.steps, 3);
  EXPECT_EQ(stage.batch, 4);
  EXPECT_EQ(stage.max_tokens, 96);
  EXPECT_THAT(stage.matryoshka, ElementsAre(16, 32));
  EXPECT_EQ(stage.sampling_temperature, 1.5);
  EXPECT_THAT(stage.train, ElementsAre("*.weight"));
  EXPECT_THAT(stage.freeze, ElementsAre("embeddings.*"));
  EXPECT_EQ(stage.lora_rank, 2);
  EXPECT_EQ(stage.lora_alpha, 8);
  EXPECT_THAT(stage.tasks, ElementsAre("separation"));
  EXPECT_EQ(stage.dropout, 0.1);
  EXPECT_EQ(stage.chunk_tokens, 4096);
  EXPECT_TRUE(stage.checkpointing);
  EXPECT_EQ(stage.mask_rate, 0.15);
  EXPECT_EQ(stage.teacher_tokens, 254);
  EXPECT_FALSE(stage.reset_optimiser);
  const OptimiserRecipe& optimiser = stage.optimiser;
  EXPECT_EQ(optimiser.learning_rate, 2e-4);
  EXPECT_EQ(optimiser.embedding_rate, 0.03);
  EXPECT_EQ(optimiser.beta1, 0.8);
  EXPECT_EQ(optimiser.beta2, 0.95);
  EXPECT_EQ(optimiser.epsilon, 1e-8);
  EXPECT_EQ(optimiser.weight_decay, 0);
  EXPECT_EQ(optimiser.clip, 0.5);
  EXPECT_EQ(optimiser.schedule, Schedule::kInverseSquareRoot);
  EXPECT_EQ(optimiser.warmup, 100);
  EXPECT_EQ(optimiser.final_share, 0.1);
}

TEST(Recipe, ReadsObjectivesAndEvaluations) {
  const Recipe recipe = read_everything();
  ASSERT_EQ(recipe.stages.at(0).objectives.size(), 1u);
  const ObjectiveRecipe& objective = recipe.stages[0].objectives[0];
  EXPECT_THAT(objective.data, ElementsAre("a"));
  EXPECT_EQ(objective.rate, 0.25);
  EXPECT_EQ(objective.query_task, "retrieval.query");
  EXPECT_EQ(objective.positive_task, "retrieval.passage");
  EXPECT_EQ(objective.query_prompt, "Q: ");
  EXPECT_EQ(objective.positive_prompt, "P: ");
  EXPECT_EQ(objective.instructions, false);
  EXPECT_EQ(objective.batch, 2);
  EXPECT_EQ(objective.max_tokens, 64);
  ASSERT_EQ(objective.losses.size(), 2u);
  EXPECT_EQ(objective.losses[0].name, "triplet");
  EXPECT_EQ(objective.losses[0].weight, 0.5);
  EXPECT_EQ(objective.losses[0].temperature, 0.02);
  EXPECT_THAT(objective.losses[0].options, ElementsAre(Pair("is_hard", 1), Pair("margin", 0.25)));
  EXPECT_EQ(objective.losses[1].temperature, 0.05) << "that of the kind";
  const EvaluationRecipe& evaluation = recipe.evaluations.at(0);
  EXPECT_EQ(evaluation.name, "dev");
  EXPECT_EQ(evaluation.columns.at(Column::kScore), "gold");
  EXPECT_EQ(evaluation.metric, "ndcg@10");
  EXPECT_EQ(evaluation.query_task, "retrieval.query");
  EXPECT_EQ(evaluation.positive_task, "retrieval.passage");
  EXPECT_EQ(evaluation.dimensions, 128);
  EXPECT_TRUE(evaluation.keeps_best);
}

TEST(Recipe, PathsStartFromItsFolder) {
  const WrittenRecipe written(kBeginning + kPairs);
  const Recipe recipe = written.read();
  EXPECT_EQ(recipe.model.from, written.path("model"));
  EXPECT_THAT(recipe.data.at(0).files, ElementsAre(written.path("a.jsonl")));
  EXPECT_EQ(recipe.output, written.path("r.run")) << "named after the recipe";
  EXPECT_EQ(recipe.data_folder, written.path(""));
}

TEST(Recipe, ColumnsThatAreNotStated) {
  const std::string dev = "[[evaluate]]\nname = \"dev\"\nfile = \"dev.tsv\"\nmetric = ";
  const auto columns = [&](const std::string& metric) {
    return WrittenRecipe(kBeginning + kPairs + dev + metric).read().evaluations.at(0).columns;
  };
  EXPECT_THAT(WrittenRecipe(kBeginning + kPairs).read().data.at(0).columns, ElementsAre(Pair(Column::kText, "text")));
  EXPECT_THAT(columns("\"mlm_loss\""), ElementsAre(Pair(Column::kText, "text")));
  EXPECT_THAT(columns("\"map\""), ElementsAre(Pair(Column::kQuery, "query"), Pair(Column::kPositive, "positive")));
  EXPECT_EQ(columns("\"spearman\"").at(Column::kScore), "score");
}

TEST(Recipe, UnknownKeysNameTheNearest) {
  expect_refused("[run]\nsede = 1\n" + kBeginning + kPairs, "r.toml:2: unknown key 'sede'; did you mean 'seed'?");
  expect_refused("[modell]\n" + kBeginning + kPairs, "r.toml:1: unknown key 'modell'; did you mean 'model'?");
  expect_refused(kBeginning + kPairs + "stepz = 3\n", "r.toml:14: unknown key 'stepz'; did you mean 'steps'?");
  expect_refused(kBeginning + "row = 1\n" + kPairs, "r.toml:7: unknown key 'row'");
  expect_refused(kBeginning + "columns = { qery = \"q\" }\n" + kPairs, "unknown key 'qery'; did you mean 'query'?");
  expect_refused(kBeginning + kPairs + "[stage.optimiser]\nrate = 1\n", "r.toml:15: unknown key 'rate'");
  expect_refused(
      kBeginning + kPairs + "[[evaluate]]\nname = \"e\"\nfile = \"dev.tsv\"\nmetric = \"map\"\nbest = true\n",
      "r.toml:18: unknown key 'best'");
  expect_refused(kBeginning + kPairs + "[filter]\nsubstrings = 0.5\n", "did you mean 'substring'?");
}

TEST(Recipe, MissingFilesAndModels) {
  expect_refused(kBeginning + "[[data]]\nname = \"b\"\nfiles = [\"b.jsonl\", \"nowhere.jsonl\"]\n" + kPairs,
                 "r.toml:9: 'files': there is no file '");
  expect_refused("[filter]\ndecontaminate = \"gone.txt\"\n" + kBeginning + kPairs, "r.toml:2: 'decontaminate'");
  expect_refused(kBeginning + kPairs + "teacher = \"nobody\"\n", "r.toml:14: 'teacher': there is no model directory");
  expect_refused(kBeginning + kPairs, "--set model.from=other: 'from': there is no model directory",
                 {"model.from=other"});
  const WrittenRecipe missing(kBeginning + kPairs);
  EXPECT_NO_THROW(missing.read({"model.from=other", "data.a.files=gone"}, {.checks_files = false}));
  test::expect_error(ErrorKind::kNotFound, "none.toml", [&] { read_recipe(missing.path("none.toml"), {}); });
}

TEST(Recipe, ModelsByName) {
  const WrittenRecipe written(kBeginning + kPairs);
  const RecipeReading reading{.find_model = [](const std::string& name) -> std::string {
    if (name == "org/known") return "/cache/known";
    fail(ErrorKind::kNotFound, name, "no such model");
  }};
  EXPECT_EQ(written.read({"model.from=org/known"}, reading).model.from, "/cache/known");
  EXPECT_EQ(written.read({}, reading).model.from, written.path("model")) << "a folder comes first";
  test::expect_error(ErrorKind::kInvalidInput, "org/unknown: no such model",
                     [&] { written.read({"stage.short.teacher=org/unknown"}, reading); });
}

TEST(Recipe, NamesMustBeThereAndDiffer) {
  expect_refused(kBeginning + "[[data]]\nname = \"a\"\nfiles = \"b.jsonl\"\n" + kPairs, "r.toml:8: 'name'");
  expect_refused(kBeginning + "[[data]]\nfiles = \"b.jsonl\"\n" + kPairs, "r.toml:7: 'name' is missing");
  expect_refused(kBeginning + "[[data]]\nname = \"../a\"\nfiles = \"b.jsonl\"\n" + kPairs, "letters, digits");
  expect_refused(kBeginning + kPairs + kPairs, "r.toml:15: 'name': expected a name that no other [[stage]] has");
  const std::string dev = "[[evaluate]]\nname = \"dev\"\nfile = \"dev.tsv\"\nmetric = \"spearman\"\n";
  expect_refused(kBeginning + kPairs + dev + dev, "r.toml:19: 'name': expected a name that no other [[evaluate]] has");
  expect_refused(kBeginning + kPairs, "'data': no [[data]] is named 'aa'; did you mean 'a'?", {"stage.short.data=aa"});
  expect_refused(kBeginning + kPairs, "'align_data': no [[data]] is named 'zzz'", {"model.align_data=zzz"});
}

TEST(Recipe, WhatMustBeThere) {
  expect_refused(kBeginning, "r.toml:1: 'stage' is missing");
  expect_refused(kPairs, "'model' is missing");
  expect_refused("[model]\n" + kPairs, "r.toml:1: 'from' is missing; expected a model directory");
  expect_refused("stage = 3\n" + kBeginning, "'stage': expected tables ([[stage]]), found 3");
  expect_refused(kBeginning + "[[data]]\nname = \"b\"\nfiles = []\n" + kPairs, "'files': expected one file or more");
  expect_refused(kBeginning + kPairs + "[[evaluate]]\nname = \"e\"\nmetric = \"map\"\n", "'file' is missing");
  expect_refused("[run\n", "r.toml:1");
}

TEST(Recipe, Metrics) {
  const std::string dev = kBeginning + kPairs + "[[evaluate]]\nname = \"dev\"\nfile = \"dev.tsv\"\nmetric = ";
  for (const char* good : {"spearman", "pearson", "map", "mlm_loss", "recall@1", "ndcg@100"}) {
    EXPECT_EQ(WrittenRecipe(dev + "\"" + good + "\"").read().evaluations.at(0).metric, good);
  }
  for (const char* bad : {"", "recall@", "recall@0", "recall@-1", "recall@1x", "ndcg", "accuracy"}) {
    expect_refused(dev + "\"" + bad + "\"", "r.toml:17: 'metric': expected one of spearman");
  }
}

TEST(Recipe, OneEvaluationKeepsTheBest) {
  const std::string dev = "file = \"dev.tsv\"\nmetric = \"spearman\"\nkeeps_best = true\n";
  expect_refused(kBeginning + kPairs + "[[evaluate]]\nname = \"x\"\n" + dev + "[[evaluate]]\nname = \"y\"\n" + dev,
                 "r.toml:23: 'keeps_best': the evaluation 'x' has it already");
}

TEST(Recipe, TheShippedOnesAreGood) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(JINA_SOURCE_DIR "/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path());
    EXPECT_NO_THROW({
      const Recipe recipe = read_recipe(entry.path(), {}, {.checks_files = false});
      EXPECT_FALSE(recipe.stages.empty());
    });
    ++count;
  }
  EXPECT_GE(count, 5u);
  EXPECT_NO_THROW(read_recipe(JINA_SOURCE_DIR "/recipes/tiny.toml", {})) << "its files are in the tree";
}

}  // namespace
}  // namespace jina
