#include "training/optimiser.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ops/torch/torch_backend.h"

namespace jina {

namespace {

bool is_embedding(const Parameter& parameter) {
  return name_matches("*embeddings.*weight", parameter.name) || name_matches("*lora_embedding_*", parameter.name);
}

bool is_norm(const Parameter& parameter) { return parameter.value.dim() < 2; }

}  // namespace

AdamW::AdamW(std::vector<Parameter> parameters, const OptimiserRecipe& recipe)
    : parameters_(std::move(parameters)), recipe_(recipe) {
  for (const bool has_decay : {false, true}) {
    for (const bool is_table : {false, true}) {
      groups_.push_back({{}, is_table ? recipe.embedding_rate : 1, has_decay ? recipe.weight_decay : 0});
    }
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    first_.push_back(at::zeros_like(parameter.value));
    second_.push_back(at::zeros_like(parameter.value));
    const size_t has_decay = is_norm(parameter) ? 0 : 1;
    const size_t is_table = is_embedding(parameter) && !is_norm(parameter) ? 1 : 0;
    groups_[2 * has_decay + is_table].members.push_back(i);
  }
}

double AdamW::clip_gradients() {
  const GradScope scope(false);
  std::vector<at::Tensor> norms;
  for (const Parameter& parameter : parameters_) {
    if (parameter.value.grad().defined()) norms.push_back(parameter.value.grad().norm());
  }
  if (norms.empty()) return 0;
  const auto norm = at::stack(norms).norm().item<double>();
  const double factor = recipe_.clip / (norm + 1e-6);
  if (recipe_.clip > 0 && factor < 1) {
    for (const Parameter& parameter : parameters_) {
      if (parameter.value.grad().defined()) parameter.value.mutable_grad().mul_(factor);
    }
  }
  return norm;
}

void AdamW::step(double factor) {
  const GradScope scope(false);
  ++steps_;
  for (const Group& group : groups_) {
    std::vector<at::Tensor> values, grads, first, second, counts;
    for (const size_t i : group.members) {
      const at::Tensor& value = parameters_[i].value;
      values.push_back(value);
      grads.push_back(value.grad().defined() ? value.grad() : at::zeros_like(value));
      first.push_back(first_[i]);
      second.push_back(second_[i]);
      counts.push_back(at::full({}, static_cast<double>(steps_), value.options().requires_grad(false)));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, grads, first, second, {}, counts, recipe_.learning_rate * factor * group.rate,
                      recipe_.beta1, recipe_.beta2, group.decay, recipe_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

void AdamW::clear_gradients() {
  for (const Parameter& parameter : parameters_) parameter.value.mutable_grad() = at::Tensor();
}

std::map<std::string, at::Tensor> AdamW::moments() const {
  std::map<std::string, at::Tensor> result;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    result.emplace("first/" + parameters_[i].full_name(), first_[i]);
    result.emplace("second/" + parameters_[i].full_name(), second_[i]);
  }
  return result;
}

void AdamW::restore(const std::map<std::string, at::Tensor>& moments, int64_t steps) {
  const GradScope scope(false);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    for (const bool is_first : {true, false}) {
      const std::string name = (is_first ? "first/" : "second/") + parameters_[i].full_name();
      const auto found = moments.find(name);
      if (found == moments.end() || found->second.sizes() != parameters_[i].value.sizes()) {
        fail(ErrorKind::kInvalidInput, "optimiser state", "moment '{}' is missing or of another shape", name);
      }
      (is_first ? first_[i] : second_[i]).copy_(found->second);
    }
  }
  steps_ = steps;
}

}  // namespace jina
