#include <algorithm>
#include <array>

#include "training/recipe_reader.h"

namespace jina {

namespace {

/// What a kind sets where the recipe says nothing. How long and how wide a stage is (steps, batch) depends on the
/// machine and is always stated; recipes/v3.toml has the paper's figures.
///
/// - mlm: Table A1 of Jina Embeddings v3 (arXiv 2409.10173): 512 tokens, rate 1e-4. 30 % masked as in v2 and
///   MosaicBERT.
/// - pairs: Table A1, pairs short: 192 tokens, rate 3e-5, temperature 0.05; both directions of InfoNCE are summed.
/// - adapters: Table A1: rank 4, alpha 1, temperature 0.05, base frozen. Rates there go from 5e-5 to 5e-4 with the
///   adapter, over 11,500 to 20,000 steps; 1e-4 is the one that short runs bear. The loss depends on the adapter.
/// - joint: Jina Embeddings v4 (arXiv 2506.18902), L_joint: dense and late interaction and the divergence between them,
///   temperature 0.02; its weights, lengths and rates are not published: 1, and those of the pairs.
/// - distil: recovery of a model after its positions were changed: rate 5e-4 falling by a cosine to 5 %, 224 tokens.
struct KindDefaults {
  std::string_view kind;
  std::array<std::string_view, 3> losses;  // none: the recipe must name one
  double temperature;
  int64_t max_tokens;
  double learning_rate;
  Schedule schedule;
  double final_share;
  int64_t lora_rank;
};

constexpr std::array kKinds{
    KindDefaults{"mlm", {kMaskedLanguageLoss}, 0.05, 512, 1e-4, Schedule::kLinear, 0.02, 0},
    KindDefaults{"pairs", {"info_nce"}, 0.05, 192, 3e-5, Schedule::kLinear, 0.02, 0},
    KindDefaults{"adapters", {}, 0.05, 192, 1e-4, Schedule::kLinear, 0.02, 4},
    KindDefaults{
        "joint", {"info_nce", "late_interaction", "kl_dense_late"}, 0.02, 192, 3e-5, Schedule::kLinear, 0.02, 0},
    KindDefaults{"distil", {"cosine"}, 0.05, 224, 5e-4, Schedule::kCosine, 0.05, 0},
};

constexpr std::array<std::pair<std::string_view, Schedule>, 4> kSchedules{
    {{"constant", Schedule::kConstant},
     {"linear", Schedule::kLinear},
     {"cosine", Schedule::kCosine},
     {"inverse_square_root", Schedule::kInverseSquareRoot}}};

const KindDefaults& read_kind(RecipeTable& table, StageRecipe& stage) {
  table.read("kind", stage.kind);
  std::string known;
  for (const KindDefaults& row : kKinds) {
    if (row.kind == stage.kind) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.kind);
  }
  table.reject("kind", "one of " + known);
}

/// The keys of an optimiser, which stand in [stage.optimiser] or in the stage itself.
void read_optimiser_keys(RecipeTable& table, OptimiserRecipe& optimiser) {
  constexpr Bounds kBeta{.least = 0, .most = 0.9999999};
  table.read("learning_rate", optimiser.learning_rate, kZeroOrMore);
  table.read("embedding_rate", optimiser.embedding_rate, kZeroOrMore);
  table.read("beta1", optimiser.beta1, kBeta);
  table.read("beta2", optimiser.beta2, kBeta);
  table.read("epsilon", optimiser.epsilon, kAboveZero);
  table.read("weight_decay", optimiser.weight_decay, kZeroOrMore);
  table.read("clip", optimiser.clip, kZeroOrMore);
  table.read("schedule", optimiser.schedule, std::span<const std::pair<std::string_view, Schedule>>(kSchedules));
  table.read("warmup", optimiser.warmup, kZeroOrMore);
  table.read("final_share", optimiser.final_share, kShare);
}

void read_optimiser(RecipeTable& stage, OptimiserRecipe& optimiser) {
  read_optimiser_keys(stage, optimiser);
  if (std::optional<RecipeTable> own = stage.table("optimiser")) {
    read_optimiser_keys(*own, optimiser);
    own->finish();
  }
}

/// One [[…loss]]: what is no key of every loss is an option of this one.
LossRecipe read_loss(RecipeTable& table, double temperature) {
  LossRecipe loss{.name = "", .temperature = temperature, .where = table.where()};
  table.read("name", loss.name);
  if (loss.name.empty()) table.reject("name", "the name of a loss");
  table.read("weight", loss.weight, kZeroOrMore);
  table.read("temperature", loss.temperature, kAboveZero);
  for (const std::string_view key : table.untaken()) {
    if (const toml::node* node = table.take(key); node->is_boolean()) {
      loss.options[std::string(key)] = node->as_boolean()->get() ? 1 : 0;
    } else {
      table.read(key, loss.options[std::string(key)], Bounds{});
    }
  }
  return loss;
}

/// `loss` is a name, a list of names, or tables; absent: the loss of the kind.
std::vector<LossRecipe> read_losses(RecipeTable& table, const KindDefaults& kind, double temperature) {
  table.read("temperature", temperature, kAboveZero);
  std::vector<LossRecipe> losses;
  std::vector<std::string> names;
  const toml::node* node = table.take("loss");
  if (node == nullptr) {
    for (const std::string_view name : kind.losses) {
      if (!name.empty()) names.emplace_back(name);
    }
  } else if (node->is_table()) {
    std::optional<RecipeTable> own = table.table("loss");
    losses.push_back(read_loss(*own, temperature));
  } else if (node->is_array_of_tables()) {
    for (RecipeTable& own : table.tables("loss")) losses.push_back(read_loss(own, temperature));
  } else {
    table.read("loss", names);
  }
  for (std::string& name : names) {
    losses.push_back({.name = std::move(name), .temperature = temperature, .where = table.where("loss")});
  }
  if (losses.empty()) table.reject("loss", "the name of a loss, or [[stage.objective.loss]] tables");
  return losses;
}

/// What an objective and a stage with a single one have in common.
void read_objective_keys(RecipeTable& table, ObjectiveRecipe& objective) {
  table.read("data", objective.data);
  table.read("query_task", objective.query_task);
  table.read("positive_task", objective.positive_task);
  table.read("query_prompt", objective.query_prompt);
  table.read("positive_prompt", objective.positive_prompt);
  table.read("instructions", objective.instructions);
  table.read("negatives", objective.negatives, kZeroOrMore);
  table.read("rows_per_label", objective.rows_per_label, kAboveZero);
  if (objective.data.empty()) table.reject("data", "the names of [[data]]");
}

ObjectiveRecipe read_objective(RecipeTable& table, const KindDefaults& kind, double temperature) {
  ObjectiveRecipe objective;
  read_objective_keys(table, objective);
  objective.losses = read_losses(table, kind, temperature);
  table.read("rate", objective.rate, kAboveZero);
  table.read("batch", objective.batch, kAboveZero);
  table.read("max_tokens", objective.max_tokens, kAboveZero);
  table.finish();
  return objective;
}

void read_objectives(RecipeTable& table, const KindDefaults& kind, StageRecipe& stage) {
  std::vector<RecipeTable> own = table.tables("objective");
  if (own.empty()) {
    ObjectiveRecipe& only = stage.objectives.emplace_back();
    read_objective_keys(table, only);
    only.losses = read_losses(table, kind, kind.temperature);
    return;
  }
  double temperature = kind.temperature;  // of losses that state none
  table.read("temperature", temperature, kAboveZero);
  for (RecipeTable& objective : own) stage.objectives.push_back(read_objective(objective, kind, temperature));
}

/// The tasks of the objectives, each once.
std::vector<std::string> tasks_of(const std::vector<ObjectiveRecipe>& objectives) {
  std::vector<std::string> tasks;
  for (const ObjectiveRecipe& objective : objectives) {
    for (const std::string& task : {objective.query_task, objective.positive_task}) {
      if (!task.empty() && std::ranges::find(tasks, task) == tasks.end()) tasks.push_back(task);
    }
  }
  return tasks;
}

void read_adapters(RecipeTable& table, StageRecipe& stage) {
  table.read("train", stage.train);
  table.read("freeze", stage.freeze);
  table.read("lora_rank", stage.lora_rank, kZeroOrMore);
  table.read("lora_alpha", stage.lora_alpha, kAboveZero);
  table.read("tasks", stage.tasks);
  if (stage.kind != "adapters" || table.has("tasks")) return;
  stage.tasks = tasks_of(stage.objectives);
  if (stage.tasks.empty()) table.reject("tasks", "the tasks whose adapters train, here or as query_task");
}

}  // namespace

StageRecipe read_stage(RecipeTable& table) {
  StageRecipe stage;
  const KindDefaults& kind = read_kind(table, stage);
  stage.name = read_name(table, stage.kind);
  stage.max_tokens = kind.max_tokens;
  stage.optimiser.learning_rate = kind.learning_rate;
  stage.optimiser.schedule = kind.schedule;
  stage.optimiser.final_share = kind.final_share;
  stage.lora_rank = kind.lora_rank;

  read_objectives(table, kind, stage);
  table.read("steps", stage.steps, kAboveZero);
  if (stage.steps == 0) table.reject("steps", "the number of optimiser steps");
  table.read("batch", stage.batch, kAboveZero);
  if (stage.batch == 0) table.reject("batch", "the rows of one step");
  table.read("max_tokens", stage.max_tokens, kAboveZero);
  table.read("matryoshka", stage.matryoshka, kAboveZero);
  table.read("sampling_temperature", stage.sampling_temperature, kAboveZero);
  read_optimiser(table, stage.optimiser);
  read_adapters(table, stage);
  table.read("dropout", stage.dropout, Bounds{.least = 0, .most = 0.99});
  table.read("chunk_tokens", stage.chunk_tokens, kZeroOrMore);
  table.read("checkpointing", stage.checkpointing);
  table.read("mask_rate", stage.mask_rate, kInsideZeroOne);
  table.read("teacher", stage.teacher);
  table.read("teacher_tokens", stage.teacher_tokens, kZeroOrMore);
  table.read("reset_optimiser", stage.reset_optimiser);
  table.finish();
  return stage;
}

}  // namespace jina
