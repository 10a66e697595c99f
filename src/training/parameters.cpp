#include "training/parameters.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ops/torch/torch_tensor.h"

namespace jina {

/// Gives the leaves of a store, loading them from another source.
class ParameterSource final : public WeightSource {
 public:
  ParameterSource(ParameterStore& store, std::string folder, std::shared_ptr<WeightSource> source)
      : store_(store), folder_(std::move(folder)), source_(std::move(source)) {}

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    const std::string full = Parameter{folder_, name, {}}.full_name();
    if (const auto known = store_.parameters_.find(full); known != store_.parameters_.end()) {
      return wrap(known->second.value);
    }
    const std::optional<Tensor> stored = source_->find(name, shape);
    if (!stored || stored->dtype() == DType::kI64) return stored;
    const at::Tensor value = unwrap(*stored).to(store_.device_, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    source_->release(*stored);
    store_.parameters_.emplace(full, Parameter{folder_, name, value.contiguous()});
    return wrap(value);
  }

  std::vector<std::string> names() const override { return source_->names(); }
  const std::string& where() const override { return source_->where(); }
  void release(const Tensor& /*tensor*/) override {}

 private:
  ParameterStore& store_;
  std::string folder_;
  std::shared_ptr<WeightSource> source_;
};

std::shared_ptr<WeightSource> ParameterStore::source(const std::string& folder, std::shared_ptr<WeightSource> source) {
  return std::make_shared<ParameterSource>(*this, folder, std::move(source));
}

void ParameterStore::train(const std::vector<std::string>& patterns, const std::vector<std::string>& except) {
  const auto means = [](const std::string& pattern, const Parameter& parameter) {
    const bool is_adapter = !parameter.folder.empty() && parameter.folder != kHeadFolder;
    return name_matches(pattern, parameter.full_name()) && (!is_adapter || pattern.find('/') != std::string::npos);
  };
  const auto is_named = [&](const std::vector<std::string>& all, const Parameter& parameter) {
    return std::ranges::any_of(all, [&](const std::string& pattern) { return means(pattern, parameter); });
  };
  for (auto& [name, parameter] : parameters_) {
    parameter.value.set_requires_grad(is_named(patterns, parameter) && !is_named(except, parameter));
  }
  for (const auto* list : {&patterns, &except}) {
    for (const std::string& pattern : *list) {
      const auto fits = [&](const auto& entry) { return means(pattern, entry.second); };
      if (std::ranges::any_of(parameters_, fits)) continue;
      fail(ErrorKind::kInvalidInput, "train, freeze", "no tensor is called '{}'; names are like '{}'", pattern,
           parameters_.empty() ? "" : parameters_.begin()->first);
    }
  }
}

std::vector<Parameter> ParameterStore::trained() const {
  std::vector<Parameter> result;
  for (const auto& [name, parameter] : parameters_) {
    if (parameter.is_trained()) result.push_back(parameter);
  }
  return result;
}

at::Tensor ParameterStore::leaf(const std::string& folder, const std::string& name,
                                const std::function<at::Tensor()>& make) {
  Parameter parameter{folder, name, {}};
  const auto [at, is_new] = parameters_.try_emplace(parameter.full_name(), parameter);
  if (is_new) at->second.value = make().to(device_, at::kFloat);
  return at->second.value;
}

}  // namespace jina
