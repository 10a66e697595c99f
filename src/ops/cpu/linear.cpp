#include <cmath>

#include "ops/cpu/cpu_backend.h"

// Plain loops; the packed kernels replace this file.
namespace jina {

namespace {

struct PlainLinear final : PreparedLinear {
  Tensor weight;
  Tensor bias;
  std::vector<LowRank> adapters;
};

struct PlainFeedForward final : PreparedFeedForward {
  std::unique_ptr<PreparedLinear> up, down;
  Gate gate = Gate::kNone;
  Activation activation = Activation::kGelu;
};

float activate(float x, Activation activation) {
  if (activation == Activation::kGelu) return 0.5F * x * (1.0F + std::erf(x * 0.70710678F));
  if (activation == Activation::kRelu) return x > 0 ? x : 0;
  return x;
}

Tensor round_to(Tensor x, DType dtype) {
  if (dtype == DType::kF32) return x;
  Tensor out = make_tensor(dtype, x.shape());
  for (int64_t i = 0; i < x.shape().elements(); ++i) out.data<BFloat16>()[i] = to_bfloat16(x.data<float>()[i]);
  return out;
}

}  // namespace

std::unique_ptr<PreparedLinear> CpuBackend::prepare(LinearWeights weights) {
  auto plain = std::make_unique<PlainLinear>();
  plain->weight = to_f32(weights.weight);
  if (weights.bias) plain->bias = to_f32(*weights.bias);
  for (LowRank& adapter : weights.adapters) plain->adapters.push_back({to_f32(adapter.a), to_f32(adapter.b), adapter.scale});
  return plain;
}

std::unique_ptr<PreparedFeedForward> CpuBackend::prepare(FeedForwardWeights weights) {
  auto plain = std::make_unique<PlainFeedForward>();
  plain->up = prepare(std::move(weights.up));
  plain->down = prepare(std::move(weights.down));
  plain->gate = weights.gate;
  plain->activation = weights.activation;
  return plain;
}

Tensor CpuBackend::linear(const PreparedLinear& prepared, Tensor x, const LinearOptions& options) {
  const auto& w = dynamic_cast<const PlainLinear&>(prepared);
  const Tensor wide = to_f32(x);
  const int64_t in = w.weight.width(), out = w.weight.rows(), tokens = x.rows();
  Tensor y = make_tensor(DType::kF32, {tokens, out});
  std::vector<int32_t> adapter(static_cast<size_t>(tokens), kNoAdapter);
  if (options.adapters != nullptr) {
    const PackedLayout& layout = options.adapters->layout;
    for (int64_t r = 0; r < layout.rows(); ++r)
      for (int64_t t = 0; t < layout.length(r); ++t)
        adapter[static_cast<size_t>(layout.begin(r) + t)] = options.adapters->rows.by_row[static_cast<size_t>(r)];
  }
  threads_.parallel_for(tokens, [&](int64_t t, int) {
    const float* row = wide.row<float>(t);
    float* target = y.row<float>(t);
    for (int64_t o = 0; o < out; ++o) {
      const float* weight = w.weight.row<float>(o);
      float sum = w.bias.is_empty() ? 0 : w.bias.data<float>()[o];
      for (int64_t i = 0; i < in; ++i) sum += row[i] * weight[i];
      target[o] = sum;
    }
    if (const int32_t a = adapter[static_cast<size_t>(t)]; a != kNoAdapter && !w.adapters.empty()) {
      const LowRank& lora = w.adapters[static_cast<size_t>(a)];
      for (int64_t k = 0; k < lora.a.rows(); ++k) {
        float z = 0;
        for (int64_t i = 0; i < in; ++i) z += row[i] * lora.a.row<float>(k)[i];
        for (int64_t o = 0; o < out; ++o) target[o] += lora.scale * z * lora.b.row<float>(o)[k];
      }
    }
    for (int64_t o = 0; o < out; ++o) target[o] = activate(target[o], options.activation);
  });
  return round_to(y, options.output);
}

Tensor CpuBackend::feed_forward(const PreparedFeedForward& prepared, const Tensor& x, const AdapterUse* adapters) {
  const auto& w = dynamic_cast<const PlainFeedForward&>(prepared);
  Tensor g = linear(*w.up, x, {.adapters = adapters});
  const bool is_gated = w.gate != Gate::kNone;
  const int64_t inner = is_gated ? g.width() / 2 : g.width();
  Tensor u = make_tensor(DType::kF32, {g.rows(), inner});
  for (int64_t t = 0; t < g.rows(); ++t) {
    const float* row = g.row<float>(t);
    for (int64_t i = 0; i < inner; ++i) {
      float value = 0;
      switch (w.gate) {
        case Gate::kNone: value = activate(row[i], w.activation); break;
        case Gate::kGateFirst: value = activate(row[i], w.activation) * row[inner + i]; break;
        case Gate::kGateSecond: value = row[i] * activate(row[inner + i], w.activation); break;
      }
      u.row<float>(t)[i] = value;
    }
  }
  return linear(*w.down, round_to(u, compute_dtype()), {.adapters = adapters});
}

}  // namespace jina
