#include "models/jina_v2/jina_v2.h"

#include <variant>

#include "models/shape.h"
#include "nn/layers.h"
#include "nn/positions.h"

// jina-embeddings-v2 (Günther et al. 2023, arXiv 2310.19923): BERT with symmetric ALiBi and a gated feed-forward. Two
// forms of layer: the plain one (small, base, de, zh) and the one with norms on query and key (code, es).
namespace jina {

namespace {

struct JinaV2Config : EncoderShape {
  int64_t types = 2;
  double norm_epsilon = 1e-12;
  Activation activation = Activation::kGelu;
  bool is_gated = true;  ///< else feed_forward_type "original": BERT's plain feed-forward, under BERT's names
};

Activation read_activation(const Json& config) {
  const std::string name = config.string_or("feed_forward_type", "geglu");
  if (name == "geglu") return Activation::kGelu;
  if (name == "reglu") return Activation::kRelu;
  const std::string plain = config.string_or("hidden_act", "gelu");
  if (name == "original" && plain == "gelu") return Activation::kGelu;
  if (name == "original" && plain == "relu") return Activation::kRelu;
  fail(ErrorKind::kUnsupported, config.document().where(),
       "feed_forward_type '{}' with hidden_act '{}': expected geglu, reglu, or original with gelu or relu", name,
       plain);
}

JinaV2Config read_config(const Json& config) {
  JinaV2Config c{read_shape(config)};
  c.types = config.int_or("type_vocab_size", c.types);
  c.norm_epsilon = config.double_or("layer_norm_eps", c.norm_epsilon);
  c.activation = read_activation(config);
  c.is_gated = config.string_or("feed_forward_type", "geglu") != "original";
  return c;
}

using Attention = std::variant<SelfAttention, NormedSelfAttention>;

Attention make_attention(Backend& backend, const Weights& w, const JinaV2Config& c) {
  const Weights self = w / "self";
  LinearWeights output = linear_weights(w / "output" / "dense", c.hidden, c.hidden);
  if (!self.has("layer_norm_q.weight")) {
    return SelfAttention(
        backend,
        {.query_key_value = query_key_value_weights(self, c.hidden), .output = std::move(output), .heads = c.heads});
  }
  return NormedSelfAttention(backend, {.query = linear_weights(self / "query", c.hidden, c.hidden),
                                       .key = linear_weights(self / "key", c.hidden, c.hidden),
                                       .value = linear_weights(self / "value", c.hidden, c.hidden),
                                       .output = std::move(output),
                                       .query_norm = LayerNorm(self / "layer_norm_q", c.hidden, c.norm_epsilon),
                                       .key_norm = LayerNorm(self / "layer_norm_k", c.hidden, c.norm_epsilon),
                                       .heads = c.heads});
}

/// The plain feed-forward stands beside the attention, not in a scope of its own as the gated ones.
FeedForwardWeights plain_feed_forward_weights(const Weights& w, const JinaV2Config& c) {
  return {.up = linear_weights(w / "intermediate" / "dense", c.inner, c.hidden),
          .down = linear_weights(w / "output" / "dense", c.hidden, c.inner),
          .activation = c.activation};
}

/// The gate is the first half of `gated_layers`, the second half of `up_gated_layer`.
FeedForwardWeights feed_forward_weights(const Weights& w, const JinaV2Config& c) {
  const bool is_code_form = w.has("up_gated_layer.weight");
  const std::string_view up = is_code_form ? "up_gated_layer.weight" : "gated_layers.weight";
  return {.up = {.weight = w.get(up, {2 * c.inner, c.hidden}), .bias = {}, .adapters = {}},
          .down = linear_weights(w / (is_code_form ? "down_layer" : "wo"), c.hidden, c.inner),
          .gate = is_code_form ? Gate::kGateSecond : Gate::kGateFirst,
          .activation = c.activation};
}

struct JinaV2Layer {
  Attention attention;
  LayerNorm attention_norm;
  std::optional<LayerNorm> second_norm;  // the form with split norms adds the residual twice
  FeedForward feed_forward;
  LayerNorm output_norm;

  Tensor operator()(const Pass& pass, Tensor x) const {
    Tensor attended = std::visit([&](const auto& form) { return form(pass, x); }, attention);
    Tensor h = attention_norm(pass, std::move(attended), x);  // (tokens, hidden)
    if (second_norm) h = (*second_norm)(pass, std::move(h), x);
    x = {};  // the feed-forward's result takes its memory
    return output_norm(pass, feed_forward(pass, h), h);
  }
};

Weights output_norm(const Weights& w, const JinaV2Config& c) {
  if (w.has("layer_norm_1.weight")) return w / "layer_norm_2";
  return c.is_gated ? w / "mlp" / "layernorm" : w / "output" / "LayerNorm";
}

JinaV2Layer make_layer(Backend& backend, const Weights& w, const JinaV2Config& c) {
  JinaV2Layer layer{
      .attention = make_attention(backend, w / "attention", c),
      .attention_norm = LayerNorm(w / "attention" / "output" / "LayerNorm", c.hidden, c.norm_epsilon),
      .second_norm = {},
      .feed_forward =
          FeedForward(backend, c.is_gated ? feed_forward_weights(w / "mlp", c) : plain_feed_forward_weights(w, c)),
      .output_norm = LayerNorm(output_norm(w, c), c.hidden, c.norm_epsilon),
  };
  if (w.has("layer_norm_1.weight")) layer.second_norm.emplace(w / "layer_norm_1", c.hidden, c.norm_epsilon);
  return layer;
}

class JinaV2 final : public Encoder {
 public:
  JinaV2(Backend& backend, const Weights& w, const JinaV2Config& c)
      : backend_(backend),
        words_(backend, {w.get("embeddings.word_embeddings.weight", {c.vocabulary, c.hidden}), {}}),
        types_(backend, {w.get("embeddings.token_type_embeddings.weight", {c.types, c.hidden}), {}}),
        embedding_norm_(w / "embeddings" / "LayerNorm", c.hidden, c.norm_epsilon),
        slopes_{alibi_slopes(c.heads)} {
    for (int64_t i = 0; i < c.layers; ++i) {
      layers_.push_back(make_layer(backend, w / "encoder" / "layer" / i, c));
      w.release_taken();
    }
  }

  Tensor forward(const TokenBatch& batch, Capture* capture) const override {
    const auto state = std::make_shared<const PassState<AlibiSlopes>>(batch.layout, RowAdapters{}, slopes_);
    const Pass pass = begin_pass(backend_, state, capture);
    return run_layers(pass, embed(pass, batch.ids), layers_);
  }

 private:
  /// A function of its own, so that the tables' rows are given back before the first layer. → (tokens, hidden)
  Tensor embed(const Pass& pass, std::span<const int32_t> ids) const {
    const std::vector<int32_t> types(ids.size(), 0);
    return embedding_norm_(pass, words_(pass, ids), types_(pass, types));
  }

  Backend& backend_;
  EmbeddingTable words_;
  EmbeddingTable types_;
  LayerNorm embedding_norm_;
  AlibiSlopes slopes_;
  std::vector<JinaV2Layer> layers_;
};

}  // namespace

bool is_jina_v2(const Json& config) {
  return config.string_or("model_type", "") == "bert" && config.string_or("position_embedding_type", "") == "alibi";
}

Model build_jina_v2(const ModelParts& parts) {
  const JinaV2Config config = read_config(parts.directory.config());
  Model model{.card = read_card(parts.directory, "jina_v2"), .encoder = {}};
  Weights weights(parts.weights);
  if (weights.has("bert.embeddings.word_embeddings.weight")) weights = weights / "bert";
  for (const std::string_view unused : {"*embeddings.position_ids", "*pooler.*", "cls.*", "*encoder.alibi"}) {
    weights.ignore(unused);
  }
  model.encoder = std::make_unique<JinaV2>(parts.backend, weights, config);
  weights.finish();
  model.card.parameters = weights.parameters();
  const int64_t inner_matrices = config.is_gated ? 3 : 2;
  model.card.linear_weights =
      config.layers * (4 * config.hidden * config.hidden + inner_matrices * config.hidden * config.inner);
  return model;
}

}  // namespace jina
