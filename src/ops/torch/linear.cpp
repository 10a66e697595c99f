#include "ops/torch/linear.h"

#include <ATen/ATen.h>

#include <map>

#include "ops/linear_weights.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

void for_each_adapter(const AdapterUse& use, at::Device device,
                      const std::function<void(size_t adapter, const at::Tensor& tokens)>& body) {
  std::map<int32_t, std::vector<int64_t>> rows;
  for (int64_t row = 0; row < use.layout.rows(); ++row) rows[use.rows.by_row[static_cast<size_t>(row)]].push_back(row);
  for (const auto& [adapter, own] : rows) {
    if (adapter == kNoAdapter) continue;
    if (rows.size() == 1) {
      body(static_cast<size_t>(adapter), {});
      return;
    }
    std::vector<int64_t> tokens;
    for (const int64_t row : own) {
      for (int64_t i = 0; i < use.layout.length(row); ++i) tokens.push_back(use.layout.begin(row) + i);
    }
    body(static_cast<size_t>(adapter), at::tensor(tokens, at::kLong).to(device));
  }
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kGelu: return at::gelu(x);
    case Activation::kRelu: return at::relu(x);
  }
  return x;
}

TorchLinear::TorchLinear(const TorchBackend& backend, const std::vector<LinearWeights>& stacked)
    : type_(backend.compute_type()) {
  JINA_CHECK(!stacked.empty());
  inputs_ = stacked.front().weight.width();
  const auto keep = [&](const Tensor& tensor) {
    const at::Tensor value = backend.weight(tensor, backend.wide_type());
    return value.requires_grad() ? value : value.to(type_);
  };
  for (const LinearWeights& weights : stacked) {
    check_linear(weights);
    if (weights.weight.width() != inputs_) {
      fail(ErrorKind::kModelFile, {}, "linear layer: weight is {}, expected (out, {}) as the layer beside it",
           to_string(weights.weight.shape()), inputs_);
    }
    Part& part = parts_.emplace_back();
    part.weight = keep(weights.weight);
    if (weights.bias) part.bias = keep(*weights.bias);
    for (const LowRank& adapter : weights.adapters) {
      part.adapters.push_back({keep(adapter.a), keep(adapter.b), static_cast<double>(adapter.scale)});
    }
    outputs_ += part.weight.size(0);
  }
  const auto is_constant = [](const Part& part) {
    return !part.weight.requires_grad() && !(part.bias.defined() && part.bias.requires_grad()) && part.adapters.empty();
  };
  if (parts_.size() == 1 || !std::ranges::all_of(parts_, is_constant)) return;
  std::vector<at::Tensor> all_weights, all_biases;
  for (const Part& part : parts_) {
    all_weights.push_back(part.weight);
    if (part.bias.defined()) all_biases.push_back(part.bias);
  }
  parts_ = {Part{at::cat(all_weights), all_biases.empty() ? at::Tensor() : at::cat(all_biases), {}}};
}

at::Tensor TorchLinear::base(const at::Tensor& x) const {
  if (parts_.size() == 1) {
    const Part& part = parts_.front();
    return at::linear(x, part.weight.to(type_), part.bias.defined() ? part.bias.to(type_) : part.bias);
  }
  std::vector<at::Tensor> weights, biases;
  for (const Part& part : parts_) {
    weights.push_back(part.weight.to(type_));
    if (part.bias.defined()) biases.push_back(part.bias.to(type_));
  }
  JINA_CHECK(biases.empty() || biases.size() == parts_.size());
  return at::linear(x, at::cat(weights), biases.empty() ? at::Tensor() : at::cat(biases));
}

at::Tensor TorchLinear::delta(const at::Tensor& x, size_t adapter) const {
  std::vector<at::Tensor> deltas;
  for (const Part& part : parts_) {
    const Adapter& own = part.adapters[adapter];
    deltas.push_back(at::linear(at::linear(x, own.a.to(type_)), (own.b * own.scale).to(type_)));
  }
  return deltas.size() == 1 ? deltas.front() : at::cat(deltas, 1);
}

at::Tensor TorchLinear::operator()(const at::Tensor& x, const AdapterUse* adapters) const {
  const at::Tensor narrow = x.to(type_);
  at::Tensor y = base(narrow);
  if (adapters == nullptr || parts_.front().adapters.empty()) return y;
  for_each_adapter(*adapters, x.device(), [&](size_t adapter, const at::Tensor& tokens) {
    y = tokens.defined() ? y.index_add(0, tokens, delta(narrow.index_select(0, tokens), adapter))
                         : y + delta(narrow, adapter);
  });
  return y;
}

std::unique_ptr<PreparedLinear> TorchBackend::prepare(std::vector<LinearWeights> stacked) {
  return std::make_unique<TorchLinear>(*this, stacked);
}

Tensor TorchBackend::linear(const PreparedLinear& prepared, Tensor x, const LinearOptions& options) {
  const GradScope scope(options_.is_training);
  const auto& layer = static_cast<const TorchLinear&>(prepared);
  const at::Tensor y = activate(layer(unwrap(x).to(options_.device), options.adapters), options.activation);
  return wrap(y.to(output_type(options.output)));
}

}  // namespace jina
