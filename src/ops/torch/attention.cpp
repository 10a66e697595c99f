#include "ops/torch/attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

namespace {

/// Neighbouring rows of one length.
struct Group {
  int64_t begin;  // first token
  int64_t rows;
  int64_t length;  // tokens of each row
};

std::vector<Group> groups_of(const std::vector<int64_t>& offsets, int64_t most_rows) {
  std::vector<Group> groups;
  for (size_t row = 0; row + 1 < offsets.size(); ++row) {
    const int64_t length = offsets[row + 1] - offsets[row];
    if (length == 0) continue;
    const bool continues = !groups.empty() && groups.back().length == length && groups.back().rows < most_rows &&
                           groups.back().begin + groups.back().rows * length == offsets[row];
    if (continues) {
      ++groups.back().rows;
    } else {
      groups.push_back({offsets[row], 1, length});
    }
  }
  return groups;
}

/// Query, key, value, and where given the result and its gradient, of one group: (rows, heads, length, head_dim) views.
struct Block {
  at::Tensor query, key, value, out, grad;
};

/// One kernel call: queries [begin, begin + count) of the rows of a group against all their keys.
class Kernel {
 public:
  explicit Kernel(const TorchAttention& options) : options_(options) {}

  int64_t queries_at_a_time(const Group& group) const {
    if (!options_.slopes.defined() && !options_.is_unfused) return group.length;
    const int64_t rows = options_.is_unfused ? group.rows : 1;
    return std::clamp<int64_t>(options_.block_elements / (rows * options_.heads * group.length), 1, group.length);
  }

  /// → result (rows, heads, count, head_dim) and log-sum-exp (rows, heads, count)
  std::tuple<at::Tensor, at::Tensor> forward(const Block& b, int64_t begin) const {
    const at::Tensor bias = bias_of(b, begin);
    if (!options_.is_unfused) {
      return at::_scaled_dot_product_flash_attention_for_cpu(b.query, b.key, b.value, 0, false, maybe(bias),
                                                             options_.scale);
    }
    const at::Tensor scores = scores_of(b, bias);
    const at::Tensor sums = scores.logsumexp(-1);
    const at::Tensor weights = (scores - sums.unsqueeze(-1)).exp_();
    return {weights.to(b.value.scalar_type()).matmul(b.value), sums};
  }

  /// → gradients of query (these queries), key and value (what these queries add)
  std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(const Block& b, const at::Tensor& sums, int64_t begin) const {
    const at::Tensor bias = bias_of(b, begin);
    if (!options_.is_unfused) {
      return at::_scaled_dot_product_flash_attention_for_cpu_backward(b.grad, b.query, b.key, b.value, b.out, sums, 0,
                                                                      false, maybe(bias), options_.scale);
    }
    const auto narrow = b.value.scalar_type();
    const at::Tensor weights = (scores_of(b, bias) - sums.unsqueeze(-1)).exp_();  // (rows, heads, count, length)
    const at::Tensor delta = (b.grad.to(sums.scalar_type()) * b.out.to(sums.scalar_type())).sum(-1, true);
    const at::Tensor wide = b.grad.matmul(b.value.transpose(2, 3)).to(sums.scalar_type());
    const at::Tensor slope = ((wide - delta) * weights * options_.scale).to(narrow);
    return {slope.matmul(b.key), slope.transpose(2, 3).matmul(b.query),
            weights.to(narrow).transpose(2, 3).matmul(b.grad)};
  }

 private:
  static std::optional<at::Tensor> maybe(const at::Tensor& tensor) {
    return tensor.defined() ? std::optional(tensor) : std::nullopt;
  }

  static at::ScalarType wide_type(const Block& b) {
    return b.query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  }

  at::Tensor scores_of(const Block& b, const at::Tensor& bias) const {
    const at::Tensor scores = b.query.matmul(b.key.transpose(2, 3)).to(wide_type(b)) * options_.scale;
    return bias.defined() ? scores + bias : scores;
  }

  /// (1, heads, count, length), or undefined
  at::Tensor bias_of(const Block& b, int64_t begin) const {
    if (!options_.slopes.defined()) return {};
    const auto places = options_.slopes.options().dtype(wide_type(b));
    const at::Tensor from = at::arange(begin, begin + b.query.size(2), places).unsqueeze(1);
    const at::Tensor distance = (from - at::arange(b.key.size(2), places)).abs();
    return (options_.slopes.to(wide_type(b)).view({1, -1, 1, 1}) * distance).neg_();
  }

  const TorchAttention& options_;
};

/// (tokens, heads * head_dim) → (rows, heads, length, head_dim) of a group, sharing memory
at::Tensor heads_of(const at::Tensor& x, const Group& group, int64_t heads) {
  return x.narrow(0, group.begin, group.rows * group.length)
      .view({group.rows, group.length, heads, x.size(1) / heads})
      .transpose(1, 2);
}

/// Options and sizes for the backward pass; autograd keeps it.
struct SavedAttention : torch::CustomClassHolder {
  explicit SavedAttention(TorchAttention o) : options(std::move(o)) {}
  TorchAttention options;
};

std::vector<Group> groups_of(const TorchAttention& options) {
  // Rows that are computed together share one block of scores in the unfused form.
  return groups_of(options.offsets, options.is_unfused ? 64 : std::numeric_limits<int64_t>::max());
}

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, const c10::intrusive_ptr<SavedAttention>& saved) {
    const TorchAttention& options = saved->options;
    const Kernel kernel(options);
    at::Tensor out = at::empty({query.size(0), query.size(1)}, query.options());  // (tokens, heads * head_dim)
    const at::ScalarType wide = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    at::Tensor sums = at::empty({query.size(0) * options.heads}, query.options().dtype(wide));
    for (const Group& group : groups_of(options)) {
      const Block all = block_of(query, key, value, group, options.heads);
      const at::Tensor to = heads_of(out, group, options.heads), sums_to = sums_of(sums, group, options.heads);
      const int64_t step = kernel.queries_at_a_time(group);
      for (int64_t begin = 0; begin < group.length; begin += step) {
        const int64_t count = std::min(step, group.length - begin);
        const auto [result, log_sums] =
            kernel.forward({all.query.narrow(2, begin, count), all.key, all.value, {}, {}}, begin);
        to.narrow(2, begin, count).copy_(result);
        sums_to.narrow(2, begin, count).copy_(log_sums);
      }
    }
    context->save_for_backward({query, key, value, out, sums});
    context->saved_data["options"] = c10::IValue::make_capsule(saved);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto capsule = context->saved_data["options"].toCapsule();
    const TorchAttention& options = static_cast<SavedAttention*>(capsule.get())->options;
    const Kernel kernel(options);
    const auto saved = context->get_saved_variables();
    const at::Tensor grad = grads[0].contiguous(), sums = saved[4];
    std::vector<at::Tensor> result;
    for (int i = 0; i < 3; ++i) result.push_back(at::empty({grad.size(0), grad.size(1)}, grad.options()));
    for (const Group& group : groups_of(options)) {
      Block all = block_of(saved[0], saved[1], saved[2], group, options.heads);
      all.out = heads_of(saved[3], group, options.heads);
      all.grad = heads_of(grad, group, options.heads);
      const at::Tensor group_sums = sums_of(sums, group, options.heads);
      const at::Tensor to[] = {heads_of(result[0], group, options.heads), heads_of(result[1], group, options.heads),
                               heads_of(result[2], group, options.heads)};
      const int64_t step = kernel.queries_at_a_time(group);
      for (int64_t begin = 0; begin < group.length; begin += step) {
        const int64_t count = std::min(step, group.length - begin);
        const auto part = [&](const at::Tensor& x) { return x.narrow(2, begin, count); };
        const auto [query, key, value] = kernel.backward(
            {part(all.query), all.key, all.value, part(all.out), part(all.grad)}, part(group_sums).contiguous(), begin);
        part(to[0]).copy_(query);
        begin == 0 ? to[1].copy_(key) : to[1].add_(key);
        begin == 0 ? to[2].copy_(value) : to[2].add_(value);
      }
    }
    return {result[0], result[1], result[2], at::Tensor()};
  }

 private:
  static Block block_of(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const Group& group,
                        int64_t heads) {
    return {heads_of(query, group, heads), heads_of(key, group, heads), heads_of(value, group, heads), {}, {}};
  }

  /// (rows, heads, length) of a group, sharing memory
  static at::Tensor sums_of(const at::Tensor& sums, const Group& group, int64_t heads) {
    return sums.narrow(0, group.begin * heads, group.rows * group.length * heads)
        .view({group.rows, heads, group.length});
  }
};

at::Tensor rotated(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines, bool is_inverse) {
  const int64_t half = cosines.size(1);
  const at::Tensor pairs = x.view({x.size(0), -1, 2, half});  // (tokens, heads, 2, head_dim / 2)
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

/// Rows of a table for every packed token by its place in its row: (tokens, width)
at::Tensor by_place(std::span<const float> table, const PackedLayout& layout, const at::TensorOptions& options) {
  const int64_t longest = layout.longest();
  const int64_t width = longest == 0 ? 0 : static_cast<int64_t>(table.size()) / longest;
  std::vector<int64_t> places;
  for (int64_t row = 0; row < layout.rows(); ++row) {
    for (int64_t i = 0; i < layout.length(row); ++i) places.push_back(i);
  }
  const at::Tensor all = at::tensor(at::ArrayRef<float>(table.data(), table.size())).view({longest, width});
  return all.to(options).index_select(0, at::tensor(places, at::kLong).to(options.device()));
}

}  // namespace

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const TorchAttention& options) {
  return AttentionFunction::apply(query, key, value, c10::make_intrusive<SavedAttention>(options));
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
  return RotateFunction::apply(x, cosines, sines);
}

Tensor TorchBackend::attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) {
  const GradScope scope(options_.is_training);
  const auto device = at::TensorOptions().device(options_.device);
  at::Tensor query = unwrap(inputs.query).to(options_.device), key = unwrap(inputs.key).to(options_.device);
  TorchAttention attention{.offsets = layout.offsets,
                           .heads = options.heads,
                           .scale = static_cast<double>(options.scale),
                           .slopes = {},
                           .is_unfused = !options_.device.is_cpu()};
  if (const auto* alibi = std::get_if<AlibiBias>(&options.positions)) {
    attention.slopes = at::tensor(at::ArrayRef<float>(alibi->slopes.data(), alibi->slopes.size())).to(device);
  } else if (const auto* rotary = std::get_if<RotaryTables>(&options.positions)) {
    const at::Tensor cosines = by_place(rotary->cosines, layout, device.dtype(wide_type()));
    const at::Tensor sines = by_place(rotary->sines, layout, device.dtype(wide_type()));
    query = rotate(query, cosines, sines);
    key = rotate(key, cosines, sines);
  }
  return wrap(attend(query, key, unwrap(inputs.value).to(options_.device), attention));
}

}  // namespace jina
