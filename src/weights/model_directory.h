#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace jina {

/// The JSON files of a Hugging Face model directory, read as far as they are there.
class ModelDirectory {
 public:
  /// Errors: kNotFound when the directory or its config.json is missing, kModelFile for broken JSON or wrong types.
  static ModelDirectory open(const std::string& path);

  /// A model of which only the text of its config.json is there; `name` stands for it in messages.
  static ModelDirectory of_config(std::string_view text, const std::string& name);

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// config.json
  Json config() const { return config_->root(); }
  /// From jina-manifest.json, else the directory's last component.
  const std::string& name() const { return name_; }

  /// sentence_bert_config.json "max_seq_length", if given.
  std::optional<int64_t> max_sequence_length() const { return max_sequence_length_; }
  /// tokenizer_config.json "model_max_length" when it is a sensible number (below 1e9).
  std::optional<int64_t> tokenizer_max_length() const { return tokenizer_max_length_; }
  /// "mean", "cls" or "last" from 1_Pooling/config.json (or the pooling module that modules.json names); absent when
  /// there is no pooling file. Error kModelFile when it asks for another pooling or for several.
  const std::optional<std::string>& pooling() const { return pooling_; }
  /// True when modules.json lists a Normalize module.
  bool has_normalize_module() const { return has_normalize_module_; }
  /// Prompts of config_sentence_transformers.json in file order, and its default_prompt_name.
  const std::vector<std::pair<std::string, std::string>>& prompts() const { return prompts_; }
  const std::optional<std::string>& default_prompt() const { return default_prompt_; }

 private:
  ModelDirectory() = default;
  void read_name();
  void read_lengths();
  void read_pooling();
  void read_prompts();

  std::string path_;
  std::string name_;
  std::unique_ptr<JsonDocument> config_;
  std::optional<int64_t> max_sequence_length_;
  std::optional<int64_t> tokenizer_max_length_;
  std::optional<std::string> pooling_;
  bool has_normalize_module_ = false;
  std::vector<std::pair<std::string, std::string>> prompts_;
  std::optional<std::string> default_prompt_;
};

}  // namespace jina
