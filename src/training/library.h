#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ops/torch_library.h"
#include "training/recipe.h"

// What libjina_torch.so gives to the program that loads it.

namespace jina {

/// Turns texts into unit vectors with the model as it is now. → (texts, dimensions), row by row
using EmbedTexts = std::function<std::vector<float>(const std::vector<std::string>& texts, const std::string& task)>;

/// The rows of an [[evaluate]] by the roles of its columns; members whose column it has not are empty.
struct EvaluationRows {
  std::vector<std::string> queries;
  std::vector<std::string> positives;  ///< of the query with the same number
  std::vector<double> scores;
  std::vector<std::string> negatives{};
  std::vector<int64_t> negative_offsets{};  ///< (rows + 1) row r owns negatives [offsets[r], offsets[r + 1])
};

/// How a run tells what it does; the program draws it. Calls come from rank 0 and from one thread only.
struct TrainingEvents {
  std::function<void(const struct StepReport&)> step;
  std::function<void(const std::string& line)> line;  ///< plan, data statistics, notices
  std::function<bool()> is_stopped;                   ///< true after Ctrl-C: the run writes a checkpoint and ends
  /// The value of evaluation.metric, all but mlm_loss, which the trainer knows itself: training does not see the
  /// metrics, the program brings them. `embed` is called with the evaluation's own tasks.
  std::function<double(const EvaluationRecipe& evaluation, const EvaluationRows& rows, const EmbedTexts& embed)>
      evaluate;
};

struct StepReport {
  std::string stage;
  int64_t step = 0;  ///< of the stage, from 1
  int64_t steps = 0;
  int64_t overall = 0;  ///< of the run, from 1
  int64_t overall_steps = 0;
  double loss = 0;
  std::map<std::string, double> terms{};  ///< each loss by name
  double gradient_norm = 0;
  double learning_rate = 0;
  int64_t tokens = 0;        ///< of this step, all ranks
  double seconds = 0;        ///< of this step
  int64_t memory_bytes = 0;  ///< peak resident set, or peak device memory
};

struct TrainRequest {
  std::string recipe;
  std::vector<std::string> overrides;
  std::string output;      ///< in place of the recipe's; "": the recipe's
  std::string last_stage;  ///< the run ends after the stage of this name; "": after the last one
  bool is_resumed = false;
  bool is_dry_run = false;
  bool is_launched_by_mpi = false;  ///< one process of several, started by mpirun or srun
  double rank_timeout = 600;        ///< seconds that a rank waits for the others
  /// RecipeReading::find_model.
  std::function<std::string(const std::string& name)> find_model{};
};

/// The function of libjina_torch.so that runs a recipe, found by the name below (ops/torch_library.h loads it and has
/// the one that makes the backend). Returns when the run is done or, after is_stopped, when its checkpoint is written.
/// It throws Error.
using TrainFunction = void (*)(const TrainRequest& request, const TrainingEvents& events);

inline constexpr const char* kTrainSymbol = "jina_train";

}  // namespace jina
