#include <algorithm>

#include "models/bert/bert.h"
#include "models/encoder.h"
#include "models/jina_v2/jina_v2.h"
#include "models/jina_v3/jina_v3.h"

namespace jina {

namespace {

/// Ordered: the first match wins, so the special families stand before the general one.
constexpr ModelEntry kModels[] = {
    {"jina_v2", is_jina_v2, build_jina_v2},
    {"jina_v3", is_jina_v3, build_jina_v3},
    {"bert", is_bert, build_bert},
};

Pooling parse_pooling(const ModelDirectory& directory) {
  const std::string name = directory.pooling().value_or("mean");
  if (name == "cls") return Pooling::kCls;
  if (name == "last") return Pooling::kLast;
  return Pooling::kMean;
}

/// The task whose last part (after a dot) is one of `roles`.
std::optional<std::string> find_role(const std::vector<TaskInfo>& tasks,
                                     std::initializer_list<std::string_view> roles) {
  for (const TaskInfo& task : tasks) {
    const std::string_view name = task.name;
    const std::string_view role = name.substr(name.rfind('.') + 1);  // npos + 1 is 0: the whole name
    if (std::ranges::find(roles, role) != roles.end()) return task.name;
  }
  return std::nullopt;
}

Model finish_card(Model model) {
  model.card.query_task = find_role(model.card.tasks, {"query"});
  model.card.passage_task = find_role(model.card.tasks, {"passage", "document"});
  return model;
}

}  // namespace

Model build_model(const ModelParts& parts) {
  const Json config = parts.directory.config();
  for (const ModelEntry& entry : kModels) {
    if (entry.matches(config)) return finish_card(entry.build(parts));
  }
  std::string known;
  for (const ModelEntry& entry : kModels) known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
  fail(ErrorKind::kUnsupported, parts.directory.file("config.json"),
       "model_type '{}' with position_embedding_type '{}' is not known; known families: {}",
       config.string_or("model_type", "(none)"), config.string_or("position_embedding_type", "(none)"), known);
}

ModelCard read_card(const ModelDirectory& directory, std::string_view family) {
  const Json config = directory.config();
  ModelCard card;
  card.name = directory.name();
  card.family = family;
  card.directory = directory.path();
  card.pooling = directory.pooling().value_or("mean");
  card.pooling_kind = parse_pooling(directory);
  card.dimensions = config.at("hidden_size").as_int();
  card.layers = config.at("num_hidden_layers").as_int();
  card.vocabulary = config.at("vocab_size").as_int();
  card.max_tokens = config.at("max_position_embeddings").as_int();
  for (const auto limit : {directory.tokenizer_max_length(), directory.max_sequence_length()}) {
    if (limit) card.max_tokens = std::min(card.max_tokens, *limit);
  }
  for (const auto& [name, prompt] : directory.prompts()) card.tasks.push_back({.name = name, .prompt = prompt});
  card.default_task = directory.default_prompt();
  return card;
}

}  // namespace jina
