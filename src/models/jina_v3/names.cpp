#include "models/jina_v3/names.h"

#include <algorithm>

namespace jina {

namespace {

/// Adapter `index` of a stacked tensor (adapters, rows, columns) as (rows, columns).
Tensor slice(const Tensor& stacked, int64_t index) {
  return stacked.rows(index, index + 1).reshaped({stacked.size(1), stacked.size(2)});
}

/// The scope in which an adapter file names the modules of the encoder: its root, or "roberta" when the adapter was
/// made on a model with a head.
Weights adapter_scope(const std::shared_ptr<WeightSource>& source) {
  constexpr std::string_view kMarker = "layers.0.";
  for (const std::string& name : source->names()) {
    const size_t at = name.find(kMarker);
    if (at == std::string::npos) continue;
    return at == 0 ? Weights(source) : Weights(source) / std::string_view(name).substr(0, at - 1);
  }
  fail(ErrorKind::kModelFile, source->where(),
       "no adapter of layer 0: expected a name like 'base_model.model.layers.0.self_attn.q_proj.lora_A.weight'");
}

}  // namespace

JinaV3Names::JinaV3Names(Weights root, const JinaV3Config& config, std::vector<PeftAdapter> adapters)
    : root_(std::move(root)), config_(config), adapters_(std::move(adapters)) {
  if (root_.has(config.is_native ? "roberta.embeddings.word_embeddings.weight" : "roberta.emb_ln.weight")) {
    root_ = root_ / "roberta";
  }
  for (const PeftAdapter& adapter : adapters_) {
    adapter_roots_.push_back(adapter_scope(adapter.source));
  }
}

std::string JinaV3Names::layer(int64_t index) const {
  return fmt::format("{}.{}", config_.is_native ? "layers" : "encoder.layers", index);
}

LinearWeights JinaV3Names::linear(const std::string& path, int64_t out, int64_t in) const {
  const Weights scope = root_ / path;
  LinearWeights weights;
  weights.bias = scope.get("bias", {out});
  const Weights parametrization = scope / "parametrizations" / "weight";
  if (!parametrization.has("original")) {
    weights.weight = scope.get("weight", {out, in});
    for (size_t i = 0; i < adapters_.size(); ++i) {
      const Weights own = adapter_roots_[i] / path;
      weights.adapters.push_back({own.get("lora_A.weight", {adapters_[i].rank, in}),
                                  own.get("lora_B.weight", {out, adapters_[i].rank}),
                                  static_cast<float>(adapters_[i].scale)});
    }
    return weights;
  }
  weights.weight = parametrization.get("original", {out, in});
  const auto count = static_cast<int64_t>(config_.adapters.size());
  const Tensor a = parametrization.get("0.lora_A", {count, config_.lora_rank, in});
  const Tensor b = parametrization.get("0.lora_B", {count, out, config_.lora_rank});
  const auto scale = static_cast<float>(config_.lora_alpha / static_cast<double>(config_.lora_rank));
  for (int64_t i = 0; i < count; ++i) weights.adapters.push_back({slice(a, i), slice(b, i), scale});
  return weights;
}

EmbeddingWeights JinaV3Names::embedding(const std::string& path, int64_t rows) const {
  const Weights scope = root_ / path;
  EmbeddingWeights weights;
  const Weights parametrization = scope / "parametrizations" / "weight";
  if (!parametrization.has("original")) {
    weights.table = scope.get("weight", {rows, config_.hidden});
    for (size_t i = 0; i < adapters_.size(); ++i) {
      const Weights own = adapter_roots_[i] / path;
      weights.adapters.push_back({own.get("lora_embedding_A", {adapters_[i].rank, rows}),
                                  own.get("lora_embedding_B", {config_.hidden, adapters_[i].rank}),
                                  static_cast<float>(adapters_[i].scale)});
    }
    weights.adapters_transposed = true;
    return weights;
  }
  weights.table = parametrization.get("original", {rows, config_.hidden});
  const auto count = static_cast<int64_t>(config_.adapters.size());
  const Tensor a = parametrization.get("0.lora_A", {count, rows, config_.lora_rank});
  const Tensor b = parametrization.get("0.lora_B", {count, config_.lora_rank, config_.hidden});
  const auto scale = static_cast<float>(config_.lora_alpha / static_cast<double>(config_.lora_rank));
  for (int64_t i = 0; i < count; ++i) weights.adapters.push_back({slice(a, i), slice(b, i), scale});
  return weights;
}

EmbeddingWeights JinaV3Names::word_embeddings() const {
  return embedding("embeddings.word_embeddings", config_.vocabulary);
}

EmbeddingWeights JinaV3Names::type_embeddings() const {
  return embedding("embeddings.token_type_embeddings", config_.types);
}

Weights JinaV3Names::embedding_norm() const { return root_ / (config_.is_native ? "embeddings.LayerNorm" : "emb_ln"); }

std::vector<LinearWeights> JinaV3Names::query_key_value(int64_t index) const {
  const int64_t hidden = config_.hidden;
  if (!config_.is_native) return {linear(layer(index) + ".mixer.Wqkv", 3 * hidden, hidden)};
  const std::string attention = layer(index) + ".self_attn.";
  return {linear(attention + "q_proj", hidden, hidden), linear(attention + "k_proj", hidden, hidden),
          linear(attention + "v_proj", hidden, hidden)};
}

LinearWeights JinaV3Names::attention_output(int64_t index) const {
  return linear(layer(index) + (config_.is_native ? ".self_attn.o_proj" : ".mixer.out_proj"), config_.hidden,
                config_.hidden);
}

Weights JinaV3Names::attention_norm(int64_t index) const {
  return root_ / layer(index) / (config_.is_native ? "post_attention_layernorm" : "norm1");
}

FeedForwardWeights JinaV3Names::feed_forward(int64_t index) const {
  return {.up = linear(layer(index) + ".mlp.fc1", config_.inner, config_.hidden),
          .down = linear(layer(index) + ".mlp.fc2", config_.hidden, config_.inner)};
}

Weights JinaV3Names::output_norm(int64_t index) const {
  return root_ / layer(index) / (config_.is_native ? "post_mlp_layernorm" : "norm2");
}

void JinaV3Names::release_taken() const {
  root_.release_taken();
  for (const Weights& adapter : adapter_roots_) adapter.release_taken();
}

void JinaV3Names::finish() const {
  for (const std::string_view unused : {"*pooler.*", "*rotary_emb.inv_freq", "lm_head.*"}) root_.ignore(unused);
  for (const Weights& adapter : adapter_roots_) {
    adapter.ignore("*pooler.*");
    adapter.ignore("*.base_layer.weight");
  }
  root_.finish();
  for (const Weights& adapter : adapter_roots_) adapter.finish();
}

int64_t JinaV3Names::parameters() const {
  int64_t sum = root_.parameters();
  for (const Weights& adapter : adapter_roots_) sum += adapter.parameters();
  return sum;
}

}  // namespace jina
