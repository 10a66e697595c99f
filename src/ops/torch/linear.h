#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ops/torch/torch_backend.h"

namespace jina {

/// Stacked linear layers as torch tensors. Weights that want no gradient are cast once; the others stay as they are and
/// are cast in each call, so that the cast is part of the graph.
class TorchLinear final : public PreparedLinear {
 public:
  /// Error kModelFile when shapes do not fit together.
  TorchLinear(const TorchBackend& backend, const std::vector<LinearWeights>& stacked);

  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }
  /// x: (tokens, in) of any type → (tokens, out) in the compute type
  at::Tensor operator()(const at::Tensor& x, const AdapterUse* adapters) const;

 private:
  struct Adapter {
    at::Tensor a;  // (rank, in)
    at::Tensor b;  // (out, rank)
    double scale;
  };
  struct Part {
    at::Tensor weight;  // (out, in)
    at::Tensor bias;    // (out), or undefined
    std::vector<Adapter> adapters;
  };

  at::Tensor base(const at::Tensor& x) const;
  at::Tensor delta(const at::Tensor& x, size_t adapter) const;

  at::ScalarType type_;
  std::vector<Part> parts_;
  int64_t inputs_ = 0;
  int64_t outputs_ = 0;
};

/// Calls body(adapter, tokens) for each adapter that some row of the pass uses; `tokens` (count) are the indices of its
/// tokens on `device`, undefined when it has all of them.
void for_each_adapter(const AdapterUse& use, at::Device device,
                      const std::function<void(size_t adapter, const at::Tensor& tokens)>& body);

/// The activation of a feed-forward or linear layer.
at::Tensor activate(const at::Tensor& x, Activation activation);

}  // namespace jina
