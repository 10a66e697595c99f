#include <ATen/ATen.h>

#include "ops/torch/linear.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

namespace {

class TorchFeedForward final : public PreparedFeedForward {
 public:
  TorchFeedForward(const TorchBackend& backend, const FeedForwardWeights& weights)
      : gate(weights.gate), activation(weights.activation), up(backend, {weights.up}), down(backend, {weights.down}) {
    const int64_t inner = gate == Gate::kNone ? up.outputs() : up.outputs() / 2;
    if (inner != down.inputs()) {
      fail(ErrorKind::kModelFile, {}, "feed-forward: {} inner activations, but the down projection takes {}", inner,
           down.inputs());
    }
  }

  /// (tokens, up outputs) → (tokens, inner)
  at::Tensor activations(const at::Tensor& wide) const {
    if (gate == Gate::kNone) return activate(wide, activation);
    const std::vector<at::Tensor> halves = wide.chunk(2, 1);
    return gate == Gate::kGateFirst ? activate(halves[0], activation) * halves[1]
                                    : halves[0] * activate(halves[1], activation);
  }

  Gate gate;
  Activation activation;
  TorchLinear up;
  TorchLinear down;
};

}  // namespace

std::unique_ptr<PreparedFeedForward> TorchBackend::prepare(FeedForwardWeights weights) {
  return std::make_unique<TorchFeedForward>(*this, weights);
}

Tensor TorchBackend::feed_forward(const PreparedFeedForward& prepared, const Tensor& x, const AdapterUse* adapters) {
  const GradScope scope(options_.is_training);
  const auto& layer = static_cast<const TorchFeedForward&>(prepared);
  const at::Tensor inner = layer.activations(layer.up(unwrap(x).to(options_.device), adapters));
  return wrap(layer.down(inner, adapters).to(wide_type()));
}

}  // namespace jina
