#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "jina/embedder.h"

namespace jina::cli {

/// The options that every command which runs a model has.
struct ModelOptions {
  std::string model;
  std::string device = "cpu";
  std::string precision = "auto";
  int threads = 0;
  int64_t token_budget = 0;
};

/// -m, --device, --precision, --threads and --token-budget on `command`.
void add_model_options(CLI::App& command, ModelOptions& options, const Environment& environment);

/// Errors: kUnsupported for a device or precision that is not built, naming what there is; kInvalidArgument.
OpenOptions open_options(const ModelOptions& options, const Environment& environment);

/// Resolves the name and opens the model.
Embedder open_embedder(const ModelOptions& options, const Environment& environment);

/// For texts without a task: says so when the model's tasks are adapters and it has no default among them.
void warn_of_base_model(const ModelInfo& info);

}  // namespace jina::cli
