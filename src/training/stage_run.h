#pragma once

#include <functional>
#include <memory>
#include <string>

#include "training/checkpoint.h"
#include "training/gradient_sums.h"
#include "training/heads.h"
#include "training/library.h"
#include "training/stage_data.h"
#include "training/teacher.h"

namespace jina {

/// What all stages of a run share.
struct RunContext {
  const Recipe& recipe;
  const TrainingEvents& events;
  Communicator& ranks;
  RunLog* log;  ///< null on all ranks but 0
  Checkpoints& checkpoints;
  std::string output;
  TorchOptions torch;  ///< device and compute type
  int64_t overall_steps = 0;

  void tell(const std::string& line) const {
    if (ranks.rank() == 0 && events.line) events.line(line);
  }
};

/// One stage at work: the model of a directory, its data, its optimiser.
class StageRun {
 public:
  /// `directory`: the model that the stage starts from. `weights`: where its tensors are taken from, that directory or
  /// the model of a checkpoint within the stage (which may be gone before the stage ends).
  StageRun(RunContext& context, const StageRecipe& stage, std::string directory, const std::string& weights);
  ~StageRun();

  /// Takes over moments, heads and place of a checkpoint within this stage.
  void restore(const Checkpoint& checkpoint);
  /// Leaves of heads from an earlier stage.
  void take_heads(const std::map<std::string, at::Tensor>& heads);
  std::map<std::string, at::Tensor> heads() const;

  /// Runs from where `state` is to the end of the stage. False when it was stopped on request (a checkpoint is
  /// written). Errors: kInternal when loss or gradients are not finite, naming step, data and last checkpoint.
  bool run(TrainingState& state);
  /// Writes the model as it is.
  void write(const std::string& target) const;
  const std::vector<DataRecord>& records() const { return data_->records(); }
  /// All evaluations of the recipe; the best model of each that keeps one is written.
  void evaluate(TrainingState& state);

 private:
  StepReport make_step(const TrainingState& state);
  void write_checkpoint(const TrainingState& state);
  std::vector<LossTerm> terms_of(const ObjectiveRecipe& objective) const;
  GradientHooks hooks_of(const ObjectiveRecipe& objective);
  void read_evaluations(DataSource& source);
  double masked_loss(const EvaluationRows& rows);

  RunContext& context_;
  const StageRecipe& stage_;
  std::string directory_;
  ParameterStore store_;
  std::unique_ptr<Student> student_;
  Tokenizer tokenizer_;
  std::unique_ptr<StageData> data_;
  std::map<std::string, EvaluationRows> evaluation_rows_;  // by the evaluation's name; on rank 0 only
  std::unique_ptr<Teacher> teacher_;
  std::unique_ptr<WordHead> word_head_;
  std::unique_ptr<TokenHead> token_head_;
  std::unique_ptr<AdamW> optimiser_;
  std::unique_ptr<GradientSums> sums_;  // null in a run of one process
};

}  // namespace jina
