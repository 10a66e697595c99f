#pragma once

#include <optional>
#include <string>

#include "cli/expectation.h"
#include "embedding/loader.h"
#include "embedding/plan.h"

namespace jina::cli {

/// How far results lie from published numbers, at the place where they lie farthest in units of the tolerance.
struct Distance {
  double difference = 0;
  double tolerance = 0;
  std::string where{};

  /// A difference that is not a number is not ok.
  bool is_ok() const { return difference <= tolerance; }
};

/// What to do otherwise than the checkpoint's own files say.
struct Variation {
  bool use_published_ids = false;
  std::optional<Pooling> pooling{};
  std::optional<int32_t> adapter{};
};

/// The ids that the checkpoint makes of a text of a run: its own instruction, its own tokenizer.
Sequence plan_text(const LoadedModel& model, const ExpectedRun& run, const ExpectedText& text);

/// Runs all texts of `run` through the model. Error kInvalidArgument when the model does not have the run's task.
Distance measure_run(const LoadedModel& model, const ExpectedRun& run, const Variation& variation);

bool has_task(const LoadedModel& model, const std::string& task);

}  // namespace jina::cli
