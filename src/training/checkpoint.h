#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "training/optimiser.h"
#include "training/parameters.h"

namespace jina {

/// Where a run stands after a step; together with weights and moments all that it needs to go on bit by bit, since data
/// and dropout are functions of seed and step.
struct TrainingState {
  std::string recipe;  ///< sha256 of the recipe's text
  std::string stage;   ///< name
  int64_t stage_index = 0;
  int64_t step = 0;                      ///< steps of the stage that are done
  int64_t overall = 0;                   ///< steps of the run that are done
  int threads = 0;                       ///< that computed it: other numbers of threads round differently
  std::map<std::string, double> best{};  ///< best value so far of each evaluation that keeps one
};

/// A checkpoint that was read.
struct Checkpoint {
  std::string path;
  TrainingState state;
  std::map<std::string, at::Tensor> moments;  ///< as AdamW::moments; empty between stages
  int64_t optimiser_steps = 0;
  std::map<std::string, at::Tensor> heads;  ///< leaves of heads by name
  std::string model() const { return path + "/model"; }
};

/// The checkpoints of a run: folders "step-00000500" with a plain Hugging Face directory "model",
/// "training.safetensors" (moments, heads) and "state.json" (with the sha256 of every file). A folder appears whole or
/// not at all.
class Checkpoints {
 public:
  /// `folder` is made by the first checkpoint.
  explicit Checkpoints(std::string folder);

  /// Writes the leaves of `store` over a copy of the files of `model_files`, then removes all but the newest `keep`.
  /// → its path. Errors: kIo (disk full: what was there stays).
  std::string write(const TrainingState& state, const ParameterStore& store, const AdamW& optimiser,
                    const std::string& model_files, int64_t keep);

  /// Paths, oldest first.
  std::vector<std::string> list() const;
  /// The newest one whose files have their checksums; damaged ones are told to `notice` and passed over.
  std::optional<Checkpoint> newest(const std::function<void(const std::string&)>& notice) const;

 private:
  std::string folder_;
};

/// Writes the leaves of `store`, heads apart, as a model directory. Errors: kIo.
void write_model(const ParameterStore& store, const std::string& model_files, const std::string& target);

}  // namespace jina
