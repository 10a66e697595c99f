#include "nn/layers.h"

#include <cmath>
#include <cstring>

namespace jina {

namespace {

/// The adapters of stacked layers as one: a's stacked, b's on the diagonal of blocks, scales folded into b.
LowRank fuse_adapters(const std::vector<LinearWeights>& parts, size_t adapter) {
  int64_t rank = 0;
  int64_t out = 0;
  for (const LinearWeights& part : parts) {
    rank += part.adapters[adapter].a.rows();
    out += part.weight.rows();
  }
  const int64_t in = parts.front().weight.width();
  LowRank fused{make_tensor(DType::kF32, {rank, in}), make_tensor(DType::kF32, {out, rank}), 1.0F};
  int64_t rank_begin = 0;
  int64_t out_begin = 0;
  for (const LinearWeights& part : parts) {
    const LowRank& own = part.adapters[adapter];
    const Tensor a = to_f32(own.a);
    const Tensor b = to_f32(own.b);
    std::memcpy(fused.a.row<float>(rank_begin), a.raw(), a.bytes());
    for (int64_t o = 0; o < b.rows(); ++o) {
      for (int64_t k = 0; k < b.width(); ++k) {
        fused.b.row<float>(out_begin + o)[rank_begin + k] = own.scale * b.row<float>(o)[k];
      }
    }
    rank_begin += a.rows();
    out_begin += b.rows();
  }
  return fused;
}

}  // namespace

LinearWeights linear_weights(const Weights& scope, int64_t out, int64_t in) {
  return {.weight = scope.get("weight", {out, in}), .bias = scope.get("bias", {out}), .adapters = {}};
}

LinearWeights fuse(std::vector<LinearWeights> parts) {
  std::vector<Tensor> weights;
  std::vector<Tensor> biases;
  for (const LinearWeights& part : parts) {
    weights.push_back(part.weight);
    if (part.bias) biases.push_back(*part.bias);
  }
  JINA_CHECK(biases.empty() || biases.size() == parts.size());
  LinearWeights fused{.weight = stack_rows(weights), .bias = {}, .adapters = {}};
  if (!biases.empty()) fused.bias = stack_rows(biases);
  for (size_t adapter = 0; adapter < parts.front().adapters.size(); ++adapter) {
    fused.adapters.push_back(fuse_adapters(parts, adapter));
  }
  return fused;
}

LayerNorm::LayerNorm(const Weights& scope, int64_t width, double epsilon)
    : weights_{to_f32(scope.get("weight", {width})), to_f32(scope.get("bias", {width})), static_cast<float>(epsilon)} {}

SelfAttention::SelfAttention(Backend& backend, SelfAttentionWeights weights)
    : query_key_value_(backend, std::move(weights.query_key_value)),
      output_(backend, std::move(weights.output)),
      heads_(weights.heads),
      query_norm_(std::move(weights.query_norm)),
      key_norm_(std::move(weights.key_norm)) {}

Tensor SelfAttention::operator()(const Pass& pass, const Tensor& x) const {
  const int64_t width = x.width();
  const DType compute = pass.backend.compute_dtype();
  // A norm on q and k needs them in f32: their mean square decides every score of the row.
  Tensor fused = query_key_value_(pass, x, query_norm_ ? DType::kF32 : compute);  // (tokens, 3 hidden)
  AttentionInputs inputs{fused.columns(0, width), fused.columns(width, 2 * width), fused.columns(2 * width, 3 * width)};
  fused = {};
  if (query_norm_) {
    inputs.query = (*query_norm_)(pass, std::move(inputs.query), {}, compute);
    inputs.key = (*key_norm_)(pass, std::move(inputs.key), {}, compute);
    inputs.value = pass.backend.convert(std::move(inputs.value), compute);
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(width / heads_));
  return output_(pass, pass.backend.attention(std::move(inputs), pass.layout,
                                              {.heads = heads_, .scale = scale, .positions = pass.positions}));
}

}  // namespace jina
