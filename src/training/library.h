#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ops/backend.h"

// What libjina_torch.so gives to the program that loads it.

namespace jina {

/// Turns texts into unit vectors with the model as it is now. → (texts, dimensions), row by row
using EmbedTexts = std::function<std::vector<float>(const std::vector<std::string>& texts, const std::string& task)>;

/// How a run tells what it does; the program draws it. Lines come from rank 0 only.
struct TrainingEvents {
  std::function<void(const struct StepReport&)> step;
  std::function<void(const std::string& line)> line;  ///< plan, data statistics, notices
  std::function<bool()> is_stopped;                   ///< true after Ctrl-C: the run writes a checkpoint and ends
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
  std::string output;  ///< in place of the recipe's; "": the recipe's
  bool is_resumed = false;
  bool is_dry_run = false;
};

struct TorchBackendOptions {
  std::string device = "cpu";  ///< cpu or cuda
  DType compute = DType::kF32;
  int threads = 0;
};

/// The functions of libjina_torch.so, found by the names below. They throw Error.
using TrainFunction = void (*)(const TrainRequest& request, const TrainingEvents& events);
using MakeTorchBackend = std::unique_ptr<Backend> (*)(const TorchBackendOptions& options);

inline constexpr const char* kTrainSymbol = "jina_train";
inline constexpr const char* kMakeTorchBackendSymbol = "jina_make_torch_backend";

}  // namespace jina
