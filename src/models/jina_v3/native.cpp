#include "models/jina_v3/native.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "weights/peft.h"
#include "weights/safetensors.h"

namespace jina {

namespace {

constexpr std::string_view kParametrization = ".parametrizations.weight.";
constexpr std::string_view kFused = ".mixer.Wqkv";

/// Modules of a layer that have another name in the native layout.
constexpr std::array kRenamed{
    std::pair<std::string_view, std::string_view>{".mixer.out_proj", ".self_attn.o_proj"},
    std::pair<std::string_view, std::string_view>{".norm1", ".post_attention_layernorm"},
    std::pair<std::string_view, std::string_view>{".norm2", ".post_mlp_layernorm"},
};

/// The native modules that the rows of an original module become, in order.
std::vector<std::string> native_modules(std::string module) {
  constexpr std::string_view kPrefix = "roberta.";
  constexpr std::string_view kLayers = "encoder.layers.";
  if (module.starts_with(kPrefix)) module.erase(0, kPrefix.size());
  if (module == "emb_ln") return {"embeddings.LayerNorm"};
  if (!module.starts_with(kLayers)) return {module};
  module.erase(0, std::string_view("encoder.").size());
  if (module.ends_with(kFused)) {
    const std::string layer = module.substr(0, module.size() - kFused.size());
    return {layer + ".self_attn.q_proj", layer + ".self_attn.k_proj", layer + ".self_attn.v_proj"};
  }
  for (const auto& [from, to] : kRenamed) {
    if (module.ends_with(from)) return {module.substr(0, module.size() - from.size()) + std::string(to)};
  }
  return {module};
}

/// Part `index` of `count` equal parts of the rows.
Tensor row_part(const Tensor& tensor, size_t index, size_t count) {
  const int64_t rows = tensor.rows() / static_cast<int64_t>(count);
  return tensor.rows(static_cast<int64_t>(index) * rows, static_cast<int64_t>(index + 1) * rows);
}

void put_plain(ModelContent& content, const std::string& module, std::string_view member, const Tensor& tensor) {
  const std::vector<std::string> targets = native_modules(module);
  for (size_t i = 0; i < targets.size(); ++i) {
    content.weights.insert_or_assign(fmt::format("{}.{}", targets[i], member), row_part(tensor, i, targets.size()));
  }
}

/// Writes one stacked matrix (tasks, rows, columns) into the adapters of all tasks.
void put_adapters(ModelContent& content, const std::vector<std::string>& tasks, const std::string& module, bool is_a,
                  const Tensor& stacked) {
  const std::vector<std::string> targets = native_modules(module);
  const char side = is_a ? 'A' : 'B';
  for (size_t task = 0; task < tasks.size(); ++task) {
    const auto index = static_cast<int64_t>(task);
    const Tensor matrix = stacked.rows(index, index + 1).reshaped({stacked.size(1), stacked.size(2)});
    auto& adapter = content.adapters[adapter_folder(tasks[task])];
    if (module.ends_with("_embeddings")) {
      adapter.emplace(fmt::format("{}.lora_embedding_{}", targets[0], side), transposed(matrix));
      continue;
    }
    for (size_t i = 0; i < targets.size(); ++i) {
      const Tensor part = is_a ? matrix : row_part(matrix, i, targets.size());
      adapter.emplace(fmt::format("{}.lora_{}.weight", targets[i], side), to_f32(part));
    }
  }
}

/// Last parts of the module names of an adapter's tensors, each once.
std::vector<std::string> target_modules(const std::map<std::string, Tensor>& adapter) {
  std::set<std::string> modules;
  for (const auto& [name, tensor] : adapter) {
    const std::string module = name.substr(0, name.find(".lora_"));
    modules.insert(module.substr(module.rfind('.') + 1));
  }
  return {modules.begin(), modules.end()};
}

void convert_original(const JinaV3Config& config, WeightSource& source, ModelContent& content) {
  for (const std::string& name : source.names()) {
    const Tensor tensor = *source.find(name, {});
    const size_t marker = name.find(kParametrization);
    if (marker == std::string::npos) {
      const size_t dot = name.rfind('.');
      put_plain(content, name.substr(0, dot), std::string_view(name).substr(dot + 1), tensor);
      continue;
    }
    const std::string module = name.substr(0, marker);
    const std::string rest = name.substr(marker + kParametrization.size());
    if (rest == "original") {
      put_plain(content, module, "weight", tensor);
      continue;
    }
    const bool is_a = rest.ends_with("lora_A");
    if (tensor.shape().rank() != 3 || tensor.rows() != static_cast<int64_t>(config.adapters.size())) {
      fail(ErrorKind::kModelFile, source.where(),
           "tensor '{}': expected ({}, rows, columns) for the tasks, file has {}", name, config.adapters.size(),
           to_string(tensor.shape()));
    }
    put_adapters(content, config.adapters, module, is_a, tensor);
  }
}

}  // namespace

std::string adapter_folder(std::string task) {
  std::ranges::replace_if(
      task, [](char c) { return c == '.' || c == '-'; }, '_');
  return task;
}

std::string task_instruction(const ModelDirectory& directory, const std::string& task) {
  if (const auto instructions = directory.config().find("task_instructions")) {
    if (const auto own = instructions->find(task)) return std::string(own->as_string());
  }
  for (const auto& [name, prompt] : directory.prompts()) {
    if (name == task) return prompt;
  }
  if (task == "retrieval.query") return "Represent the query for retrieving evidence documents: ";
  if (task == "retrieval.passage") return "Represent the document for retrieval: ";
  return "";
}

JsonObject task_instructions(const ModelDirectory& directory, const std::vector<std::string>& tasks) {
  JsonObject instructions;
  for (const std::string& task : tasks) instructions.set(task, task_instruction(directory, task));
  return instructions;
}

std::vector<std::string> possible_tasks(const JinaV3Config& config) {
  std::vector<std::string> tasks = config.adapters;
  for (const std::string_view task : kPublishedTasks) {
    if (std::ranges::find(tasks, task) == tasks.end()) tasks.emplace_back(task);
  }
  return tasks;
}

JsonObject native_config(const ModelDirectory& directory, double rotary_base) {
  constexpr std::array<std::string_view, 15> kKept{
      "bos_token_id",      "eos_token_id",        "pad_token_id",      "hidden_act",     "hidden_dropout_prob",
      "hidden_size",       "initializer_range",   "intermediate_size", "layer_norm_eps", "attention_probs_dropout_prob",
      "num_hidden_layers", "num_attention_heads", "type_vocab_size",   "vocab_size",     "max_position_embeddings"};
  const Json from = directory.config();
  JsonObject config;
  config.set("architectures", std::vector<std::string>{"JinaEmbeddingsV3Model"});
  config.set("model_type", "jina_embeddings_v3").set("dtype", "float32");
  config.set("rope_parameters", JsonObject().set("rope_theta", rotary_base).set("rope_type", "default"));
  for (const std::string_view key : kKept) {
    const auto value = from.find(key);
    // The class's own default for a token id that is absent would be a token of another vocabulary.
    if (value || key.ends_with("_token_id")) config.set_json(key, value ? value->dump() : "null");
  }
  if (const auto sizes = from.find("matryoshka_dimensions")) config.set_json("matryoshka_dimensions", sizes->dump());
  return config;
}

ModelContent native_content(const ModelDirectory& directory) {
  const JinaV3Config config = JinaV3Config::read(directory.config());
  const auto source = open_safetensors(directory.path());
  ModelContent content;
  if (config.is_native) {
    for (const std::string& name : source->names()) content.weights.emplace(name, *source->find(name, {}));
    return content;
  }
  convert_original(config, *source, content);
  for (const auto& [folder, adapter] : content.adapters) {
    content.files[folder + "/adapter_config.json"] =
        peft_config_text(config.lora_rank, config.lora_alpha, target_modules(adapter));
  }
  JsonObject native = native_config(directory, config.rotary_base);
  if (!config.adapters.empty()) {
    native.set("lora_adaptations", config.adapters).set("lora_rank", config.lora_rank);
    native.set("lora_alpha", config.lora_alpha);
    native.set("task_instructions", task_instructions(directory, config.adapters));
  }
  content.files["config.json"] = native.text();
  return content;
}

AdapterLayout native_adapter_layout(const ModelDirectory& directory, const std::vector<std::string>& tasks) {
  const JinaV3Config c = JinaV3Config::read(directory.config());
  if (!c.is_native) {
    fail(ErrorKind::kUnsupported, directory.path(),
         "its adapters lie inside its weights: expected a model whose adapters are folders");
  }
  AdapterLayout layout;
  layout.modules = {{"embeddings.word_embeddings", c.hidden, c.vocabulary, true},
                    {"embeddings.token_type_embeddings", c.hidden, c.types, true}};
  for (int64_t i = 0; i < c.layers; ++i) {
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      layout.modules.push_back({fmt::format("layers.{}.self_attn.{}", i, name), c.hidden, c.hidden});
    }
    layout.modules.push_back({fmt::format("layers.{}.mlp.fc1", i), c.inner, c.hidden});
    layout.modules.push_back({fmt::format("layers.{}.mlp.fc2", i), c.hidden, c.inner});
  }
  for (const std::string& task : tasks) layout.folders[task] = adapter_folder(task);
  for (const std::string& task : possible_tasks(c)) {
    const std::string folder = adapter_folder(task);
    if (!find_file_state(directory.file(folder + "/adapter_config.json"))) continue;
    layout.folders[task] = folder;
    layout.present.push_back(task);
  }
  return layout;
}

}  // namespace jina
