#include "models/jina_v3/jina_v3.h"

#include <algorithm>
#include <filesystem>

#include "models/jina_v3/config.h"
#include "models/jina_v3/names.h"
#include "models/jina_v3/native.h"
#include "nn/layers.h"
#include "nn/positions.h"

// jina-embeddings-v3 (Sturua et al. 2024, arXiv 2409.10173): XLM-RoBERTa with rotary positions, post-norm, and a LoRA
// adapter per task, chosen per row.
namespace jina {

namespace {

PostNormLayer make_layer(Backend& backend, const JinaV3Names& names, const JinaV3Config& c, int64_t index) {
  return {
      .attention = SelfAttention(
          backend,
          {.query_key_value = names.query_key_value(index), .output = names.attention_output(index), .heads = c.heads}),
      .attention_norm = LayerNorm(names.attention_norm(index), c.hidden, c.norm_epsilon),
      .feed_forward = FeedForward(backend, names.feed_forward(index)),
      .output_norm = LayerNorm(names.output_norm(index), c.hidden, c.norm_epsilon),
  };
}

class JinaV3 final : public Encoder {
 public:
  JinaV3(Backend& backend, const JinaV3Names& names, const JinaV3Config& c)
      : backend_(backend),
        config_(c),
        words_(backend, names.word_embeddings()),
        types_(backend, names.type_embeddings()),
        embedding_norm_(names.embedding_norm(), c.hidden, c.norm_epsilon) {
    for (int64_t i = 0; i < c.layers; ++i) {
      layers_.push_back(make_layer(backend, names, c, i));
      names.release_taken();
    }
  }

  Tensor forward(const TokenBatch& batch, Capture* capture) const override {
    const auto state = std::make_shared<const PassState<RotaryAngles>>(
        batch.layout, batch.adapters,
        RotaryAngles(batch.layout.longest(), config_.hidden / config_.heads, config_.rotary_base));
    const Pass pass = begin_pass(backend_, state, capture);
    return run_layers(pass, embed(pass, batch.ids), layers_);
  }

 private:
  /// A function of its own, so that the tables' rows are given back before the first layer. → (tokens, hidden)
  Tensor embed(const Pass& pass, std::span<const int32_t> ids) const {
    const std::vector<int32_t> types(ids.size(), 0);
    // The one token-type row is not zero and carries an adapter of its own.
    return embedding_norm_(pass, words_(pass, ids), types_(pass, types));
  }

  Backend& backend_;
  JinaV3Config config_;
  EmbeddingTable words_;
  EmbeddingTable types_;
  LayerNorm embedding_norm_;
  std::vector<PostNormLayer> layers_;
};

/// Opens the adapter folders that are there and makes their tasks the adapters of `config`.
std::vector<PeftAdapter> open_adapters(const ModelParts& parts, JinaV3Config& config) {
  const ModelDirectory& directory = parts.directory;
  std::vector<PeftAdapter> adapters;
  if (!config.is_native) return adapters;
  const std::vector<std::string> asked = config.adapters;
  const std::vector<std::string> possible = possible_tasks(config);
  config.adapters.clear();
  for (const std::string& task : possible) {
    auto adapter = open_peft_adapter(directory.file(adapter_folder(task)));
    if (!adapter) continue;
    if (parts.wrap_adapter) {
      adapter->source = parts.wrap_adapter(adapter_folder(std::string(task)), std::move(adapter->source));
    }
    adapters.push_back(std::move(*adapter));
    config.adapters.push_back(task);
  }
  for (const std::string& task : asked) {
    if (std::ranges::find(config.adapters, task) == config.adapters.end()) {
      fail(ErrorKind::kModelFile, directory.path(), "adapter of task '{}' is missing: expected the folder '{}'", task,
           adapter_folder(task));
    }
  }
  return adapters;
}

}  // namespace

bool is_jina_v3(const Json& config) {
  const std::string type = config.string_or("model_type", "");
  return type == "jina_embeddings_v3" ||
         (type == "xlm-roberta" && config.string_or("position_embedding_type", "") == "rotary");
}

Model build_jina_v3(const ModelParts& parts) {
  JinaV3Config config = JinaV3Config::read(parts.directory.config());
  std::vector<PeftAdapter> adapters = open_adapters(parts, config);
  const JinaV3Names names(Weights(parts.weights), config, std::move(adapters));
  Model model{.card = read_card(parts.directory, "jina_v3"), .encoder = {}};
  ModelCard& card = model.card;
  card.matryoshka = config.matryoshka;
  card.max_tokens = std::min(card.max_tokens,
                             config.positions - kUnusedPositions);  // 8194 places, of which XLM-RoBERTa never uses two
  card.default_task = std::nullopt;                                 // without a task: the raw base model
  card.tasks.clear();
  for (size_t i = 0; i < config.adapters.size(); ++i) {
    card.tasks.push_back({.name = config.adapters[i],
                          .prompt = task_instruction(parts.directory, config.adapters[i]),
                          .adapter = static_cast<int32_t>(i)});
  }
  model.encoder = std::make_unique<JinaV3>(parts.backend, names, config);
  names.finish();
  card.parameters = names.parameters();
  card.linear_weights = config.layers * (4 * config.hidden * config.hidden + 2 * config.hidden * config.inner);
  return model;
}

}  // namespace jina
