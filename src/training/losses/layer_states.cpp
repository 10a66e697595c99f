#include "training/losses/layer_states.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor layer_states(const LossBatch& batch, const LossRecipe& recipe) {
  check_inputs("layer_states", batch, recipe);
  if (batch.layers.size() != batch.teacher_layers.size()) {
    fail(ErrorKind::kInvalidInput, {}, "loss 'layer_states' compares layer by layer: the model has {}, the teacher {}",
         batch.layers.size(), batch.teacher_layers.size());
  }
  std::vector<at::Tensor> errors;  // one scalar per layer
  for (size_t i = 0; i < batch.layers.size(); ++i) {
    need_shape("layer_states", "layers", batch.layers[i], batch.teacher_layers[i].sizes());
    const at::Tensor states = at_least_f32(batch.layers[i]);                              // (tokens, hidden)
    const at::Tensor target = batch.teacher_layers[i].detach().to(states.scalar_type());  // (tokens, hidden)
    errors.push_back((states - target).square().sum() / target.square().sum());
  }
  return at::stack(errors).mean();
}

}  // namespace jina
