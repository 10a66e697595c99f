#include "weights/model_directory.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "weights/sentence_config.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The directory as the user named it, without slashes at its end.
std::string existing_directory(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    const bool exists = fs::exists(path, ignored);
    fail(ErrorKind::kNotFound, path, "expected a model directory, found {}", exists ? "a file" : "nothing");
  }
  const size_t last = path.find_last_not_of('/');
  return last == std::string::npos ? path : path.substr(0, last + 1);
}

std::string last_component(const std::string& path) {
  std::error_code code;
  const fs::path whole = fs::absolute(path, code).lexically_normal();
  if (code) return path;
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

}  // namespace

ModelDirectory ModelDirectory::open(const std::string& path) {
  ModelDirectory model;
  model.path_ = existing_directory(path);
  if (!is_file(model.file("config.json"))) {
    fail(ErrorKind::kNotFound, model.path_, "not a model directory: it has no config.json");
  }
  model.config_ = std::make_unique<JsonDocument>(JsonDocument::parse_file(model.file("config.json")));
  if (!model.config().is_object()) model.config().reject("an object");
  model.read_name();
  model.read_lengths();
  model.read_pooling();
  model.read_prompts();
  return model;
}

ModelDirectory ModelDirectory::of_config(std::string_view text, const std::string& name) {
  ModelDirectory model;
  model.path_ = name;
  model.name_ = name;
  model.config_ = std::make_unique<JsonDocument>(JsonDocument::parse(text, name, ErrorKind::kModelFile));
  if (!model.config().is_object()) model.config().reject("an object");
  return model;
}

void ModelDirectory::read_name() {
  name_ = last_component(path_);
  if (!is_file(file("jina-manifest.json"))) return;
  const JsonDocument manifest = JsonDocument::parse_file(file("jina-manifest.json"));
  name_ = manifest.root().string_or("name", name_);
}

void ModelDirectory::read_lengths() {
  const auto exists = [&](std::string_view name) { return is_file(file(name)); };
  const auto* sentence = std::ranges::find_if(kSentenceConfigs, exists);
  if (sentence != kSentenceConfigs.end()) {
    max_sequence_length_ = max_sequence_length_of(JsonDocument::parse_file(file(*sentence)).root());
  }
  if (exists("tokenizer_config.json")) {
    tokenizer_max_length_ = tokenizer_max_length_of(JsonDocument::parse_file(file("tokenizer_config.json")).root());
  }
}

void ModelDirectory::read_pooling() {
  std::optional<std::string> folder = "1_Pooling";
  if (is_file(file("modules.json"))) {
    SentenceModules modules = modules_of(JsonDocument::parse_file(file("modules.json")).root());
    has_normalize_module_ = modules.has_normalize;
    folder = std::move(modules.pooling_folder);
  } else if (!is_file(file("1_Pooling/config.json"))) {
    return;
  }
  if (folder) pooling_ = pooling_of(JsonDocument::parse_file(file(*folder) + "/config.json").root());
}

void ModelDirectory::read_prompts() {
  const std::string path = file("config_sentence_transformers.json");
  if (!is_file(path)) return;
  SentencePrompts read = prompts_of(JsonDocument::parse_file(path).root());
  prompts_ = std::move(read.prompts);
  default_prompt_ = std::move(read.chosen);
}

}  // namespace jina
