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

LinearWeights query_key_value_weights(const Weights& scope, int64_t hidden) {
  std::vector<LinearWeights> parts;
  for (const std::string_view part : {"query", "key", "value"}) {
    parts.push_back(linear_weights(scope / part, hidden, hidden));
  }
  return fuse(std::move(parts));
}

LayerNorm::LayerNorm(const Weights& scope, int64_t width, double epsilon)
    : weights_{to_f32(scope.get("weight", {width})), to_f32(scope.get("bias", {width})), static_cast<float>(epsilon)} {}

namespace {

/// Attention of `heads` heads, then the output projection, which takes the memory of the inputs.
Tensor attend(const Pass& pass, AttentionInputs inputs, int64_t heads, const Linear& output) {
  const auto head_dim = static_cast<float>(inputs.query.width() / heads);
  // A statement of its own: the inputs are gone when the projection asks who else holds their memory.
  Tensor context =
      pass.backend.attention(std::move(inputs), pass.layout,
                             {.heads = heads, .scale = 1.0F / std::sqrt(head_dim), .positions = pass.positions});
  return output(pass, std::move(context));
}

}  // namespace

Tensor SelfAttention::operator()(const Pass& pass, const Tensor& x) const {
  const int64_t width = x.width();
  Tensor fused = query_key_value_(pass, x, pass.backend.compute_dtype());  // (tokens, 3 hidden)
  AttentionInputs inputs{fused.columns(0, width), fused.columns(width, 2 * width), fused.columns(2 * width, 3 * width)};
  fused = {};
  return attend(pass, std::move(inputs), heads_, output_);
}

NormedSelfAttention::NormedSelfAttention(Backend& backend, NormedSelfAttentionWeights weights)
    : query_(backend, std::move(weights.query)),
      key_(backend, std::move(weights.key)),
      value_(backend, std::move(weights.value)),
      output_(backend, std::move(weights.output)),
      query_norm_(std::move(weights.query_norm)),
      key_norm_(std::move(weights.key_norm)),
      heads_(weights.heads) {}

Tensor NormedSelfAttention::operator()(const Pass& pass, const Tensor& x) const {
  const DType compute = pass.backend.compute_dtype();
  // The norms take f32: the mean square of query and key decides every score of the row.
  AttentionInputs inputs;
  inputs.query = query_norm_(pass, query_(pass, x), {}, compute);  // (tokens, hidden)
  inputs.key = key_norm_(pass, key_(pass, x), {}, compute);        // (tokens, hidden)
  inputs.value = value_(pass, x, compute);                         // (tokens, hidden)
  return attend(pass, std::move(inputs), heads_, output_);
}

}  // namespace jina
