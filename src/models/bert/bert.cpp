#include "models/bert/bert.h"

#include <algorithm>

#include "models/shape.h"
#include "nn/layers.h"

// BERT (Devlin et al. 2019) and XLM-RoBERTa with learnt absolute positions: MiniLM, BGE, E5 and their like.
namespace jina {

namespace {

struct BertConfig : EncoderShape {
  int64_t types = 2;
  double norm_epsilon = 1e-12;
  Activation activation = Activation::kGelu;
  /// XLM-RoBERTa counts positions from pad_token_id + 1 (fairseq's habit), BERT from 0.
  int64_t first_position = 0;
};

Activation read_activation(const Json& config) {
  const std::string name = config.string_or("hidden_act", "gelu");
  if (name == "gelu") return Activation::kGelu;
  if (name == "relu") return Activation::kRelu;
  fail(ErrorKind::kUnsupported, config.document().where(), "hidden_act '{}': expected gelu or relu", name);
}

BertConfig read_config(const Json& config) {
  BertConfig c{read_shape(config)};
  c.types = config.int_or("type_vocab_size", c.types);
  c.norm_epsilon = config.double_or("layer_norm_eps", c.norm_epsilon);
  c.activation = read_activation(config);
  if (config.at("model_type").as_string() != "bert") c.first_position = config.int_or("pad_token_id", 1) + 1;
  if (c.first_position < 0 || c.first_position >= c.positions) {
    fail(ErrorKind::kModelFile, config.document().where(), "'pad_token_id': expected 0 to {}, found {}",
         c.positions - 2, c.first_position - 1);
  }
  return c;
}

PostNormLayer make_layer(Backend& backend, const Weights& w, const BertConfig& c) {
  const Weights attention_output = w / "attention" / "output";
  return {
      .attention =
          SelfAttention(backend, {.query_key_value = query_key_value_weights(w / "attention" / "self", c.hidden),
                                  .output = linear_weights(attention_output / "dense", c.hidden, c.hidden),
                                  .heads = c.heads}),
      .attention_norm = LayerNorm(attention_output / "LayerNorm", c.hidden, c.norm_epsilon),
      .feed_forward = FeedForward(backend, {.up = linear_weights(w / "intermediate" / "dense", c.inner, c.hidden),
                                            .down = linear_weights(w / "output" / "dense", c.hidden, c.inner),
                                            .activation = c.activation}),
      .output_norm = LayerNorm(w / "output" / "LayerNorm", c.hidden, c.norm_epsilon),
  };
}

class Bert final : public Encoder {
 public:
  Bert(Backend& backend, const Weights& w, const BertConfig& c)
      : backend_(backend),
        words_(backend, {w.get("embeddings.word_embeddings.weight", {c.vocabulary, c.hidden}), {}}),
        positions_(backend, {w.get("embeddings.position_embeddings.weight", {c.positions, c.hidden}), {}}),
        types_(backend, {w.get("embeddings.token_type_embeddings.weight", {c.types, c.hidden}), {}}),
        embedding_norm_(w / "embeddings" / "LayerNorm", c.hidden, c.norm_epsilon),
        first_position_(c.first_position) {
    for (int64_t i = 0; i < c.layers; ++i) {
      layers_.push_back(make_layer(backend, w / "encoder" / "layer" / i, c));
      w.release_taken();
    }
  }

  Tensor forward(const TokenBatch& batch, Capture* capture) const override {
    const auto state = std::make_shared<const PassState<NoPositions>>(batch.layout, RowAdapters{}, NoPositions{});
    const Pass pass = begin_pass(backend_, state, capture);
    return run_layers(pass, embed(pass, batch.ids), layers_);
  }

 private:
  /// A function of its own, so that the tables' rows are given back before the first layer. → (tokens, hidden)
  Tensor embed(const Pass& pass, std::span<const int32_t> ids) const {
    std::vector<int32_t> places;
    for (int64_t row = 0; row < pass.layout.rows(); ++row) {
      for (int64_t i = 0; i < pass.layout.length(row); ++i) {
        places.push_back(static_cast<int32_t>(first_position_ + i));
      }
    }
    const std::vector<int32_t> types(ids.size(), 0);
    const Tensor sum = backend_.add(positions_(pass, places), types_(pass, types));  // (tokens, hidden)
    return embedding_norm_(pass, words_(pass, ids), sum);
  }

  Backend& backend_;
  EmbeddingTable words_;
  EmbeddingTable positions_;
  EmbeddingTable types_;
  LayerNorm embedding_norm_;
  int64_t first_position_;
  std::vector<PostNormLayer> layers_;
};

}  // namespace

bool is_bert(const Json& config) {
  const std::string type = config.string_or("model_type", "");
  const bool is_known = type == "bert" || type == "roberta" || type == "xlm-roberta" || type == "camembert";
  return is_known && config.string_or("position_embedding_type", "absolute") == "absolute";
}

Model build_bert(const ModelParts& parts) {
  const BertConfig config = read_config(parts.directory.config());
  Model model{.card = read_card(parts.directory, "bert"), .encoder = {}};
  model.card.max_tokens = std::min(model.card.max_tokens, config.positions - config.first_position);
  add_family_prompts(model.card);
  Weights weights(parts.weights);
  for (const std::string_view prefix : {"bert", "roberta"}) {
    if (weights.has(fmt::format("{}.embeddings.word_embeddings.weight", prefix))) weights = weights / prefix;
  }
  for (const std::string_view unused :
       {"*embeddings.position_ids", "*embeddings.token_type_ids", "*pooler.*", "cls.*", "lm_head.*"}) {
    weights.ignore(unused);
  }
  model.encoder = std::make_unique<Bert>(parts.backend, weights, config);
  weights.finish();
  model.card.parameters = weights.parameters();
  model.card.linear_weights = config.layers * (4 * config.hidden * config.hidden + 2 * config.hidden * config.inner);
  return model;
}

}  // namespace jina
