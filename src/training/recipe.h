#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// How the first weights of a run come about.
enum class Initialise : uint8_t {
  kCheckpoint,  ///< as they are in `from`
  kRandom,      ///< normal with deviation 0.02, in the shape of `from`'s config.json
  kRotary,      ///< from a BERT or XLM-RoBERTa with absolute positions: those dropped, rotary put in
  kAlibi,       ///< the same with ALiBi
};

struct ModelRecipe {
  std::string from;  ///< a model directory, or a name that RecipeReading::find_model knows
  Initialise initialise = Initialise::kCheckpoint;
  int64_t max_tokens = 0;      ///< of the model that is made; 0: what `from` says
  double rotary_base = 10000;  ///< for kRotary
  bool align_heads = true;     ///< for kRotary: the closed-form head alignment before rotary goes in
  std::string align_data;      ///< name of the data whose first texts align the heads
  int64_t align_texts = 400;
  std::vector<int64_t> matryoshka;  ///< sizes to state in the model's config; empty: as `from`
};

/// What a row of a data set gives to a loss; the file's field for each is named in `columns`.
enum class Column : uint8_t { kText, kQuery, kPositive, kNegatives, kScore, kLabel };

/// The failures of the jina-embeddings-v3 paper for which rows are made (data/failure_cases.h).
enum class FailureKind : uint8_t {
  kLookalike,  ///< F1
  kNames,      ///< F2
  kPolar,      ///< F3
  kRated,      ///< F4
};

/// What rows are made from that stand in no file.
struct FailureRecipe {
  FailureKind kind = FailureKind::kLookalike;
  std::vector<std::string> from;  ///< names of other data; for kRated one, with query, positive and score
  bool is_held_out = false;       ///< templates and sentences that the others never use; not for kRated
};

/// One source of rows: JSON lines, CSV or TSV, plain or gzip, or rows that are made. A batch comes from one source
/// only.
struct DataRecipe {
  std::string name;
  std::vector<std::string> files;
  std::optional<FailureRecipe> failures{};  ///< in place of files; the rows have query, positive and seven negatives
  /// Role → field; a field may hold a text, a list of texts, or a number. Default: the text in the field "text".
  std::map<Column, std::string> columns;
  std::optional<double> rate;  ///< weight in the draw; default: rows^(1 / sampling temperature)
  std::string language;        ///< masked-language stages rotate over these
  int64_t most_rows = 0;       ///< 0: all; of rows that are made so many (default 4000), of rated ones at most so many
  bool is_filtered = true;     ///< [filter] applies; default for rows that are made, which are alike by design: false
};

/// What is removed from pairs before training; every count is reported.
struct FilterRecipe {
  double substring = 0.8;       ///< drop when this share of the shorter text's words occur in the longer; 0: off
  int64_t substring_words = 4;  ///< … and it has at least so many words
  bool exact_duplicates = true;
  bool near_duplicates = true;
  std::vector<std::string> decontaminate;  ///< files with evaluation texts: rows that share one are dropped
};

enum class Schedule : uint8_t { kConstant, kLinear, kCosine, kInverseSquareRoot };

struct OptimiserRecipe {
  double learning_rate = 1e-4;
  double embedding_rate = 1.0;  ///< factor on the learning rate of embedding tables and their adapters
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-6;
  double weight_decay = 0.01;  ///< not on norms and biases
  double clip = 1.0;           ///< largest global gradient norm; 0: none
  Schedule schedule = Schedule::kLinear;
  double warmup = 0.06;       ///< share of the steps, or a number of steps when above 1
  double final_share = 0.02;  ///< of the learning rate, at the last step
};

/// One term of the sum that a stage minimises: a row of losses/registry.cpp.
struct LossRecipe {
  std::string name;
  double weight = 1;
  double temperature = 0.05;
  std::map<std::string, double> options{};  ///< what this loss has besides, by the names in its registry row
  std::string where{};                      ///< "recipe.toml:12", for messages
};

/// One kind of step of a stage: data, their losses, and how the model encodes them. A step draws one objective, then
/// one data set of it.
struct ObjectiveRecipe {
  std::vector<std::string> data;
  std::vector<LossRecipe> losses;
  double rate = 1;            ///< share of the steps
  std::string query_task;     ///< task (adapter and instruction) of queries, or of all texts; "": the base model
  std::string positive_task;  ///< of positives and negatives; "": as query_task
  std::string query_prompt;   ///< put in front of queries in place of the task's instruction
  std::string positive_prompt;
  std::optional<bool> instructions;  ///< default: use the tasks' instructions
  int64_t batch = 0;                 ///< 0: the stage's
  int64_t max_tokens = 0;            ///< 0: the stage's
  int64_t negatives = -1;            ///< of each row; -1: as many as every row has, 7 where labels make the rows
  int64_t rows_per_label = 4;        ///< of a batch for the separation loss
};

struct StageRecipe {
  std::string name;  ///< default: the kind
  std::string kind;  ///< mlm, pairs, adapters, joint or distil: sets defaults only (recipe_stage.cpp has the table)
  std::vector<ObjectiveRecipe> objectives;
  int64_t steps = 0;
  int64_t batch = 0;       ///< rows of one optimiser step over all ranks; for mlm: packed sequences
  int64_t max_tokens = 0;  ///< of one text; longer ones are cut
  std::vector<int64_t> matryoshka;
  double sampling_temperature = 2;
  OptimiserRecipe optimiser;
  std::vector<std::string>
      train;  ///< name patterns of the tensors that train; empty: those of `tasks`, else all but adapters
  std::vector<std::string> freeze;  ///< … and of those that do not after all
  int64_t lora_rank = 0;            ///< adapters made for tasks that have none
  double lora_alpha = 1;
  std::vector<std::string> tasks;  ///< tasks whose adapters train
  double dropout = 0;
  int64_t chunk_tokens = 0;     ///< GradCache: encode in chunks of so many tokens; 0: the whole batch at once
  bool checkpointing = false;   ///< recompute each layer in the backward pass
  double mask_rate = 0.3;       ///< mlm
  std::string teacher;          ///< model directory, for losses that want teacher vectors
  int64_t teacher_tokens = 0;   ///< longest text that the teacher sees at once; longer ones in windows. 0: its limit
  bool reset_optimiser = true;  ///< moments start at zero
};

struct EvaluationRecipe {
  std::string name;
  std::string file;
  std::string data;  ///< in place of a file: the name of a [[data]], whose columns and filter apply
  std::map<Column, std::string>
      columns;  ///< default: what the metric needs, in the fields query, positive, score, text
  /// spearman, pearson (pairs with score); recall@K, ndcg@K, map (pairs); mlm_loss (text). A query searches its
  /// positive among its own negatives where its row has some, else among all positives.
  std::string metric;
  std::string query_task;
  std::string positive_task;
  int64_t dimensions = 0;
  bool keeps_best = false;  ///< the best model by this metric is kept beside the last, the first one included
};

/// The full statement of a training run.
struct Recipe {
  std::string path;         ///< of the file, for messages; relative paths in it start from its folder
  std::string output;       ///< run directory
  std::string data_folder;  ///< where relative names of data, evaluation and decontamination files start from
  uint64_t seed = 1;
  std::string precision = "auto";  ///< f32, bf16 or auto (bf16 where the processor or GPU has it)
  std::string device = "auto";     ///< cpu, cuda or auto
  int threads = 0;
  int64_t checkpoint_every = 500;
  int64_t keep_checkpoints = 2;
  int64_t evaluate_every = 0;  ///< 0: before the first step of the run, and at the end of each stage
  ModelRecipe model;
  std::vector<DataRecipe> data;
  FilterRecipe filter;
  std::vector<StageRecipe> stages;
  std::vector<EvaluationRecipe> evaluations;
  std::string text;  ///< the recipe as read, with what --set changed: its sha256 names the run
};

/// What reading a recipe may ask of its surroundings.
struct RecipeReading {
  bool checks_files = true;  ///< models and data that the recipe names must be there
  /// The directory of a model that is named and is no directory; throws Error kNotFound. Empty: only directories.
  std::function<std::string(const std::string& name)> find_model{};
};

/// Reads a recipe. `overrides` are "key.path=value" (stages, data and evaluations by name, objectives and losses also
/// by number from 1: "stage.pairs.steps=10"); a value that is no TOML is taken as a string. Errors: kNotFound;
/// kInvalidInput naming file, line, key, what was expected; nearest known key is suggested.
Recipe read_recipe(const std::string& path, const std::vector<std::string>& overrides,
                   const RecipeReading& reading = {});

/// The data set of this name, which the recipe has.
const DataRecipe& find_data(const Recipe& recipe, std::string_view name);

/// What a registry row tells of a loss: the columns that it needs | uses when there, and the names of its options.
struct LossForm {
  std::string_view name;
  std::string_view columns;
  std::vector<std::string_view> options;
};

/// The one loss that has no row in the registry: it has a head of its own.
inline constexpr std::string_view kMaskedLanguageLoss = "mlm";

/// Checks the losses of the recipe against what is known (the masked-language loss always is): names, options, the
/// columns of their data, a teacher where one is needed. Error kInvalidInput as read_recipe's.
void check_losses(const Recipe& recipe, const std::vector<LossForm>& known);

}  // namespace jina
