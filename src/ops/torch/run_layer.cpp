#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

namespace {

/// A layer to be run again; autograd keeps it.
struct SavedLayer : torch::CustomClassHolder {
  explicit SavedLayer(std::function<at::Tensor(const at::Tensor&)> f) : run(std::move(f)) {}
  std::function<at::Tensor(const at::Tensor&)> run;
};

/// Keeps the input of a layer only. The backward pass runs the layer once more, with its graph, and goes back through
/// it; gradients of the layer's weights reach them there.
class CheckpointFunction : public torch::autograd::Function<CheckpointFunction> {
 public:
  /// `anchor` wants a gradient, so that the layer's weights are reached even when x wants none.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& /*anchor*/, const c10::intrusive_ptr<SavedLayer>& layer) {
    context->save_for_backward({x});
    context->saved_data["layer"] = c10::IValue::make_capsule(layer);
    return layer->run(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto capsule = context->saved_data["layer"].toCapsule();
    const at::Tensor x = context->get_saved_variables()[0].detach().set_requires_grad(true);
    const at::AutoGradMode enabled(true);
    const at::Tensor y = static_cast<SavedLayer*>(capsule.get())->run(x);
    torch::autograd::backward({y}, {grads[0]});
    return {x.grad(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

Tensor TorchBackend::run_layer(const std::function<Tensor(Tensor)>& layer, Tensor x) {
  if (!options_.is_training || !options_.is_checkpointing || !c10::GradMode::is_enabled()) return layer(std::move(x));
  const uint64_t first_dropout = dropouts_;
  const DropoutKey key = dropout_key_;
  const auto run = [this, layer, first_dropout, key](const at::Tensor& input) {
    const DropoutKey other_key = std::exchange(dropout_key_, key);
    const uint64_t other_dropouts = std::exchange(dropouts_, first_dropout);
    const at::Tensor y = unwrap(layer(wrap(input)));
    dropout_key_ = other_key;
    dropouts_ = std::max(other_dropouts, dropouts_);
    return y;
  };
  const at::Tensor anchor = at::zeros({1}).set_requires_grad(true);
  return wrap(CheckpointFunction::apply(unwrap(x), anchor, c10::make_intrusive<SavedLayer>(run)));
}

}  // namespace jina
