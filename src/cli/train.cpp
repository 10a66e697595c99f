#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/model_location.h"
#include "cli/train_progress.h"
#include "evaluation/pairs.h"
#include "training/library.h"

namespace jina::cli {

namespace {

/// The trainer brings the rows and the model, this program the measures.
double evaluate(const EvaluationRecipe& evaluation, const EvaluationRows& rows, const EmbedTexts& embed) {
  const std::string& positive_task =
      evaluation.positive_task.empty() ? evaluation.query_task : evaluation.positive_task;
  EmbeddedPairs pairs{.queries = embed(rows.queries, evaluation.query_task),
                      .positives = embed(rows.positives, positive_task),
                      .documents = rows.positives,
                      .scores = rows.scores};
  if (!rows.negatives.empty()) {
    pairs.negatives = embed(rows.negatives, positive_task);
    pairs.negative_documents = rows.negatives;
    pairs.negative_offsets = rows.negative_offsets;
  }
  return measure_pairs(evaluation.metric, pairs, evaluation.dimensions);
}

void print_error_text(const std::string& text) { std::fputs(text.c_str(), stderr); }

TrainingEvents make_events(TrainProgress& progress, bool& is_told) {
  TrainingEvents events;
  events.step = [&progress](const StepReport& report) { progress.step(report, TrainProgress::Clock::now()); };
  events.line = [&progress](const std::string& text) { progress.line(text); };
  events.is_stopped = [&progress, &is_told] {
    if (is_interrupted() && !is_told) {
      is_told = true;
      progress.line("stopping: a checkpoint is written first; Ctrl-C once more ends at once");
    }
    return is_interrupted();
  };
  events.evaluate = evaluate;
  return events;
}

void run_train(const TrainRequest& request, const Environment& environment) {
  if (!std::filesystem::is_regular_file(request.recipe)) {
    fail(ErrorKind::kNotFound, request.recipe,
         "there is no such recipe; recipes/ of the source tree has some to begin with");
  }
  const TorchLibrary library = TorchLibrary::load(TorchLibrary::program_folder());
  const auto train = library.find<TrainFunction>(kTrainSymbol);
  TrainProgress progress(environment.is_error_terminal, print_error_text);
  bool is_told = false;
  try {
    train(request, make_events(progress, is_told));
  } catch (...) {
    progress.finish();  // the error begins on a line of its own
    throw;
  }
  progress.finish();
  check_interrupted();
}

}  // namespace

void add_train(CLI::App& command, const Environment& environment) {
  auto request = std::make_shared<TrainRequest>();
  command.add_option("RECIPE", request->recipe, "The recipe, a TOML file")->required();
  command
      .add_option("--set", request->overrides,
                  "KEY=VALUE: changes the recipe, for example run.seed=3 or stage.pairs.steps=100; may be repeated")
      ->expected(1)
      ->take_all();
  command.add_option("-o,--output", request->output, "Folder of the run, in place of the recipe's");
  command
      .add_option("--rank-timeout", request->rank_timeout,
                  "Seconds that a process of several (mpirun, srun) waits for the others before it gives up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--until", request->last_stage,
                     "End after the stage of this name; --resume without it goes on with the next");
  command.add_flag("--resume", request->is_resumed, "Go on from the last checkpoint of the run");
  command.add_flag("--dry-run", request->is_dry_run,
                   "Check the recipe, the data and the model; tell the plan; take no step");
  command.footer(
      "The run's folder holds its checkpoints (model directories that every command here takes with -m), log.jsonl "
      "and report.html.");
  command.callback([request, environment] {
    request->find_model = [environment](const std::string& name) { return resolve_model(name, environment); };
    request->is_launched_by_mpi = environment.is_mpi_rank;
    run_train(*request, environment);
  });
}

}  // namespace jina::cli
