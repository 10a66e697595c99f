#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "training/library.h"

// A libjina_torch.so without libtorch: the words of the recipe say what its trainer does. For tests of the program.

namespace jina {

namespace {

StepReport step(int64_t number, int64_t steps) {
  return {.stage = "pairs",
          .step = number,
          .steps = steps,
          .overall = number,
          .overall_steps = steps,
          .loss = 1.5,
          .tokens = 1000,
          .seconds = 0.5,
          .memory_bytes = 2'000'000'000};
}

/// Texts with an a in front point one way, all others another; the tasks must be those of the evaluation.
std::vector<float> embed(const std::vector<std::string>& texts, const std::string& task) {
  std::vector<float> vectors;
  if (task != "q" && task != "p") fail(ErrorKind::kInternal, task, "not a task of the evaluation");
  for (const std::string& text : texts) {
    const bool is_first = text.starts_with('a');
    vectors.insert(vectors.end(), {is_first ? 1.0F : 0.0F, is_first ? 0.0F : 1.0F});
  }
  return vectors;
}

EvaluationRecipe dev() {
  EvaluationRecipe evaluation;
  evaluation.name = "dev";
  evaluation.metric = "recall@1";
  evaluation.query_task = "q";
  evaluation.positive_task = "p";
  return evaluation;
}

void train(const TrainRequest& request, const TrainingEvents& events) {
  const std::string recipe = read_file(request.recipe);
  std::string told = "recipe " + request.recipe + ", output " + request.output;
  for (const std::string& change : request.overrides) told += ", set " + change;
  if (request.is_resumed) told += ", resumed";
  if (request.is_dry_run) told += ", dry";
  events.line(told);
  if (recipe.starts_with("wrong")) fail(ErrorKind::kInvalidInput, request.recipe + ":1", "unknown key 'wrong'");
  if (recipe.starts_with("model")) events.line("found " + request.find_model("nobody/nothing"));
  if (recipe.starts_with("evaluate")) {
    events.line("recall " + std::to_string(events.evaluate(dev(), {{"a", "b"}, {"ah", "be"}, {}}, embed)));
  }
  int64_t number = 0;
  while (recipe.starts_with("endless") && !events.is_stopped()) {
    events.step(step(++number, 1'000'000));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (number > 0) events.line("checkpoint written");
  if (recipe.starts_with("steps")) {
    for (number = 1; number <= 3; ++number) events.step(step(number, 3));
  }
}

}  // namespace

}  // namespace jina

extern "C" __attribute__((visibility("default"))) void jina_train(const jina::TrainRequest& request,
                                                                  const jina::TrainingEvents& events) {
  jina::train(request, events);
}
