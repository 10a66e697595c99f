#include "nn/layers.h"

#include <cmath>

namespace jina {

LinearWeights linear_weights(const Weights& scope, int64_t out, int64_t in) {
  return {.weight = scope.get("weight", {out, in}), .bias = scope.get("bias", {out}), .adapters = {}};
}

std::vector<LinearWeights> query_key_value_weights(const Weights& scope, int64_t hidden) {
  std::vector<LinearWeights> parts;
  for (const std::string_view part : {"query", "key", "value"}) {
    parts.push_back(linear_weights(scope / part, hidden, hidden));
  }
  return parts;
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
  return pass.backend.dropout(output(pass, std::move(context)));
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
