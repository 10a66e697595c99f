#include "ops/torch/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

namespace {

/// Options and sizes for the backward pass; autograd keeps it.
struct SavedAttention : torch::CustomClassHolder {
  explicit SavedAttention(TorchAttention o) : options(std::move(o)) {}
  TorchAttention options;
};

/// Inputs: query, key and value; or one tensor that holds them side by side, and nothing else.
AttentionTensors tensors_of(const at::Tensor& first, const at::Tensor& second, const at::Tensor& third) {
  if (second.defined()) return {.query = first, .key = second, .value = third};
  const int64_t width = first.size(1) / 3;
  return {.query = first.narrow(1, 0, width),
          .key = first.narrow(1, width, width),
          .value = first.narrow(1, 2 * width, width)};
}

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& first,
                            const std::optional<at::Tensor>& key, const std::optional<at::Tensor>& value,
                            const c10::intrusive_ptr<SavedAttention>& saved) {
    const TorchAttention& options = saved->options;
    const at::Tensor second = key.value_or(at::Tensor()), third = value.value_or(at::Tensor());
    AttentionTensors t = tensors_of(first, second, third);
    const at::ScalarType wide = first.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    t.out = at::empty({t.query.size(0), t.query.size(1)}, first.options());
    t.sums = at::empty({options.heads, t.query.size(0)}, first.options().dtype(wide));
    options.is_unfused ? attend_unfused(options, t) : attend_heads(options, t);
    context->save_for_backward({first, second, third, t.out, t.sums});
    context->saved_data["options"] = c10::IValue::make_capsule(saved);
    return t.out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto capsule = context->saved_data["options"].toCapsule();
    const TorchAttention& options = static_cast<SavedAttention*>(capsule.get())->options;
    const auto saved = context->get_saved_variables();
    AttentionTensors t = tensors_of(saved[0], saved[1], saved[2]);
    t.out = saved[3];
    t.sums = saved[4];
    t.out_gradient = gradients[0].contiguous();
    std::vector<at::Tensor> results(3);
    for (size_t i = 0; i < 3; ++i) {
      if (saved[i].defined()) results[i] = at::empty(saved[i].sizes(), t.out_gradient.options());
    }
    const AttentionTensors parts = tensors_of(results[0], results[1], results[2]);
    t.query_gradient = parts.query;
    t.key_gradient = parts.key;
    t.value_gradient = parts.value;
    options.is_unfused ? attend_unfused_backward(options, t) : attend_heads_backward(options, t);
    return {results[0], results[1], results[2], at::Tensor()};
  }
};

at::Tensor rotated(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines, bool is_inverse) {
  const int64_t half = cosines.size(1);
  const at::Tensor pairs = x.view({x.size(0), x.size(1) / (2 * half), 2, half});  // (tokens, heads, 2, head_dim / 2)
  const at::Tensor first = pairs.select(2, 0), second = pairs.select(2, 1);
  const at::Tensor cosine = cosines.unsqueeze(1), sine = is_inverse ? -sines.unsqueeze(1) : sines.unsqueeze(1);
  at::Tensor out = at::empty({x.size(0), pairs.size(1), 2, half}, x.options());
  out.select(2, 0).copy_(first * cosine - second * sine);
  out.select(2, 1).copy_(second * cosine + first * sine);
  return out.view({x.size(0), x.size(1)});
}

/// The gradient of a rotation is the rotation back.
class RotateFunction : public torch::autograd::Function<RotateFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& cosines,
                            const at::Tensor& sines) {
    context->save_for_backward({cosines, sines});
    return rotated(x, cosines, sines, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    return {rotated(grads[0].contiguous(), saved[0], saved[1], true), at::Tensor(), at::Tensor()};
  }
};

/// Rows of a table for every packed token by its place in its row: (tokens, width). The table may be longer than any
/// row.
at::Tensor by_place(std::span<const float> table, int64_t width, const PackedLayout& layout,
                    const at::TensorOptions& options) {
  std::vector<int64_t> places;
  for (int64_t row = 0; row < layout.rows(); ++row) {
    for (int64_t i = 0; i < layout.length(row); ++i) places.push_back(i);
  }
  const at::Tensor all = at::tensor(at::ArrayRef<float>(table.data(), table.size())).view({-1, width});
  return all.to(options).index_select(0, at::tensor(places, at::kLong).to(options.device()));
}

}  // namespace

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const TorchAttention& options) {
  return AttentionFunction::apply(query, std::optional(key), std::optional(value),
                                  c10::make_intrusive<SavedAttention>(options));
}

at::Tensor attend(const at::Tensor& fused, const TorchAttention& options) {
  return AttentionFunction::apply(fused, std::optional<at::Tensor>(), std::optional<at::Tensor>(),
                                  c10::make_intrusive<SavedAttention>(options));
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
  return RotateFunction::apply(x, cosines, sines);
}

Tensor TorchBackend::attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) {
  const GradScope scope(options_.is_training);
  const auto tensor_of = [&](std::span<const float> values) {
    return at::tensor(at::ArrayRef<float>(values.data(), values.size())).to(options_.device);
  };
  const at::Tensor fused = side_by_side(inputs.query, inputs.key, inputs.value);
  TorchAttention attention{.offsets = layout.offsets,
                           .heads = options.heads,
                           .scale = static_cast<double>(options.scale),
                           .slopes = {},
                           .is_unfused = !options_.device.is_cpu()};
  if (const auto* alibi = std::get_if<AlibiBias>(&options.positions)) attention.slopes = tensor_of(alibi->slopes);
  const auto* rotary = std::get_if<RotaryTables>(&options.positions);
  if (rotary != nullptr && !attention.is_unfused) {
    attention.cosines = tensor_of(rotary->cosines);
    attention.sines = tensor_of(rotary->sines);
  }
  if (fused.defined() && (rotary == nullptr || !attention.is_unfused)) {
    return wrap(attend(fused.to(options_.device), attention));
  }
  at::Tensor query = unwrap(inputs.query).to(options_.device), key = unwrap(inputs.key).to(options_.device);
  if (rotary != nullptr && attention.is_unfused) {
    const int64_t half = query.size(1) / options.heads / 2;
    const auto places = at::TensorOptions().device(options_.device).dtype(wide_type());
    const at::Tensor cosines = by_place(rotary->cosines, half, layout, places);
    const at::Tensor sines = by_place(rotary->sines, half, layout, places);
    query = rotate(query, cosines, sines);
    key = rotate(key, cosines, sines);
  }
  return wrap(attend(query, key, unwrap(inputs.value).to(options_.device), attention));
}

}  // namespace jina
