#pragma once

#include "training/communicator.h"
#include "training/library.h"

namespace jina {

/// Runs a recipe: makes the first model, goes through the stages, evaluates, writes checkpoints, log and report. The
/// run directory holds recipe.toml, log.jsonl, report.html, initial/ (the first model), checkpoints/, best-NAME/ and,
/// when it is done, model/. Errors: as read_recipe; kInvalidInput when the directory holds another run, or has
/// checkpoints and resuming was not asked for. Resuming where there is no checkpoint begins anew.
void train(const TrainRequest& request, const TrainingEvents& events, Communicator& ranks);

}  // namespace jina
