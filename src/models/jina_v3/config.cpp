#include "models/jina_v3/config.h"

namespace jina {

namespace {

/// The rotary base decides every vector, and its name differs by layout. The original code falls back to 10,000 when
/// `rotary_emb_base` is absent; the native class reads `rope_theta`, since transformers 5 inside `rope_parameters`, and
/// falls back to 20,000.
double read_rotary_base(const Json& config, bool is_native) {
  if (!is_native) return config.double_or("rotary_emb_base", 10000);
  const auto parameters = config.find("rope_parameters");
  return parameters ? parameters->double_or("rope_theta", 20000) : config.double_or("rope_theta", 20000);
}

}  // namespace

JinaV3Config JinaV3Config::read(const Json& config) {
  JinaV3Config c{read_shape(config)};
  c.is_native = config.at("model_type").as_string() == "jina_embeddings_v3";
  c.types = config.int_or("type_vocab_size", 1);
  c.norm_epsilon = config.double_or("layer_norm_eps", 1e-5);
  c.rotary_base = read_rotary_base(config, c.is_native);
  c.lora_rank = config.int_or("lora_rank", 4);
  if (c.lora_rank < 1) {
    fail(ErrorKind::kModelFile, config.document().where(), "'lora_rank': expected 1 or more, found {}", c.lora_rank);
  }
  if (c.hidden / c.heads % 2 != 0) {
    fail(ErrorKind::kModelFile, config.document().where(),
         "hidden_size {} over {} heads: expected an even width per head", c.hidden, c.heads);
  }
  c.lora_alpha = config.double_or("lora_alpha", 1);
  if (const auto names = config.find("lora_adaptations")) {
    for (const Json& name : names->as_array()) c.adapters.emplace_back(name.as_string());
  }
  if (const auto sizes = config.find("matryoshka_dimensions")) {
    for (const Json& size : sizes->as_array()) c.matryoshka.push_back(size.as_int());
  }
  const std::string activation = config.string_or("hidden_act", "gelu");
  if (activation != "gelu") {
    fail(ErrorKind::kUnsupported, config.document().where(), "hidden_act '{}': expected gelu", activation);
  }
  return c;
}

}  // namespace jina
