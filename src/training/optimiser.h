#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "training/parameters.h"

namespace jina {

/// AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it, with f32 moments. No decay on one-dimensional
/// tensors (norms, biases); word, position and type tables and their adapters have a learning rate of their own
/// (OptimiserRecipe::embedding_rate).
class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, const OptimiserRecipe& recipe);

  /// The global gradient norm, after scaling all gradients by min(1, clip / (norm + 1e-6))
  /// (torch.nn.utils.clip_grad_norm_). Parameters without a gradient count as zero.
  double clip_gradients();
  /// One step with the gradients there are; `factor` is the schedule's. Gradients stay.
  void step(double factor);
  /// Forgets all gradients.
  void clear_gradients();

  const std::vector<Parameter>& parameters() const { return parameters_; }

  /// "first/NAME" and "second/NAME": the moments, by full name of the parameter.
  std::map<std::string, at::Tensor> moments() const;
  int64_t steps() const { return steps_; }
  /// Error kInvalidInput when one is missing or of another shape.
  void restore(const std::map<std::string, at::Tensor>& moments, int64_t steps);

 private:
  struct Group {
    std::vector<size_t> members;
    double rate;
    double decay;
  };

  std::vector<Parameter> parameters_;
  OptimiserRecipe recipe_;
  std::vector<at::Tensor> first_;   // running mean of the gradient
  std::vector<at::Tensor> second_;  // running mean of its square
  std::vector<Group> groups_;
  int64_t steps_ = 0;
};

}  // namespace jina
