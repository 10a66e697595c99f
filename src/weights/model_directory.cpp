#include "weights/model_directory.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

/// The file that holds "max_seq_length" under all names that sentence-transformers has used, in its order of search.
constexpr std::array<std::string_view, 7> kSentenceConfigs{
    "sentence_bert_config.json",      "sentence_roberta_config.json", "sentence_distilbert_config.json",
    "sentence_camembert_config.json", "sentence_albert_config.json",  "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
};

struct PoolingName {
  std::string_view flag;  // of configs before sentence-transformers 5.5
  std::string_view mode;  // value of the newer "pooling_mode"
  std::string_view ours;  // empty: known, but not built
};

constexpr std::array kPoolingNames{
    PoolingName{"pooling_mode_cls_token", "cls", "cls"},
    PoolingName{"pooling_mode_max_tokens", "max", ""},
    PoolingName{"pooling_mode_mean_tokens", "mean", "mean"},
    PoolingName{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", ""},
    PoolingName{"pooling_mode_weightedmean_tokens", "weightedmean", ""},
    PoolingName{"pooling_mode_lasttoken", "lasttoken", "last"},
};

/// Modules after the transformer that leave a sentence vector as it is when not training.
constexpr std::array<std::string_view, 1> kNeutralModules{"Dropout"};

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
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(path, ignored);
  return ignored || whole.filename().empty() ? path : whole.filename().string();
}

/// Last part of a dotted class name: "sentence_transformers.models.Pooling" → "Pooling".
std::string_view class_name(std::string_view type) {
  return type.substr(type.rfind('.') + 1);
}

/// A path out of modules.json: relative and inside the directory.
void check_inside(const Json& field) {
  const std::string_view path = field.as_string();
  const fs::path parts(path);
  const bool is_inside = path.find('\0') == std::string_view::npos && !parts.is_absolute() &&
                         std::ranges::none_of(parts, [](const fs::path& part) { return part == ".."; });
  if (!is_inside) field.reject("a path inside the model directory");
}

std::optional<int64_t> positive_int(const Json& object, std::string_view key) {
  const auto value = object.find(key);
  if (!value) return std::nullopt;
  if (value->as_int() <= 0) value->reject("a positive integer");
  return value->as_int();
}

/// The modes that a pooling config asks for, in sentence-transformers' own words.
std::vector<std::string> requested_modes(const Json& config) {
  std::vector<std::string> modes;
  if (const auto mode = config.find("pooling_mode")) {
    if (mode->is_string()) return {std::string(mode->as_string())};
    for (const Json& one : mode->as_array()) modes.emplace_back(one.as_string());
    return modes;
  }
  for (const auto [key, value] : config.as_object()) {
    if (!key.starts_with("pooling_mode_") || !Json(config.document(), value, key).as_bool()) continue;
    const auto* known = std::ranges::find(kPoolingNames, key, &PoolingName::flag);
    modes.emplace_back(known == kPoolingNames.end() ? key : known->mode);
  }
  if (modes.empty()) modes.emplace_back("mean");  // as Pooling._convert_legacy_pooling_kwargs does
  return modes;
}

std::string read_pooling(const std::string& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  const Json config = document.root();
  const std::vector<std::string> modes = requested_modes(config);
  if (modes.size() != 1) {
    fail(ErrorKind::kModelFile, path, "expected one pooling mode, found {}: {}", modes.size(), fmt::join(modes, ", "));
  }
  const auto* known = std::ranges::find(kPoolingNames, modes[0], &PoolingName::mode);
  if (known == kPoolingNames.end() || known->ours.empty()) {
    fail(ErrorKind::kModelFile, path, "pooling mode '{}' is not supported, expected mean, cls or lasttoken", modes[0]);
  }
  if (!config.bool_or("include_prompt", true)) {
    fail(ErrorKind::kModelFile, path,
         "'include_prompt' is false: pooling without the prompt's tokens is not supported");
  }
  return std::string(known->ours);
}

/// What modules.json says beyond the transformer itself.
struct Modules {
  std::optional<std::string> pooling_folder;
  bool has_normalize = false;
};

Modules read_modules(const std::string& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  Modules modules;
  for (const Json& module : document.root().as_array()) {
    const std::string_view type = module.at("type").as_string();
    const std::string_view name = class_name(type);
    if (name == "Pooling") {
      const Json folder = module.at("path");
      check_inside(folder);
      if (modules.pooling_folder) fail(ErrorKind::kModelFile, path, "more than one Pooling module");
      modules.pooling_folder = folder.as_string();
    } else if (name == "Normalize") {
      modules.has_normalize = true;
    } else if (!name.ends_with("Transformer") && std::ranges::find(kNeutralModules, name) == kNeutralModules.end()) {
      fail(ErrorKind::kModelFile, path, "module '{}' is not supported, expected Transformer, Pooling or Normalize",
           type);
    }
  }
  return modules;
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
  model.read_modules_and_pooling();
  model.read_prompts();
  return model;
}

void ModelDirectory::read_name() {
  name_ = last_component(path_);
  if (!is_file(file("jina-manifest.json"))) return;
  const JsonDocument manifest = JsonDocument::parse_file(file("jina-manifest.json"));
  name_ = manifest.root().string_or("name", name_);
}

void ModelDirectory::read_lengths() {
  const auto* sentence =
      std::ranges::find_if(kSentenceConfigs, [&](std::string_view name) { return is_file(file(name)); });
  if (sentence != kSentenceConfigs.end()) {
    max_sequence_length_ = positive_int(JsonDocument::parse_file(file(*sentence)).root(), "max_seq_length");
  }
  if (!is_file(file("tokenizer_config.json"))) return;
  const JsonDocument tokenizer = JsonDocument::parse_file(file("tokenizer_config.json"));
  // transformers writes int(1e30) for "no limit", so the value need not fit an integer.
  constexpr double kNoLimit = 1e9;
  const double length = tokenizer.root().double_or("model_max_length", kNoLimit);
  if (length >= 1 && length < kNoLimit) tokenizer_max_length_ = static_cast<int64_t>(length);
}

void ModelDirectory::read_modules_and_pooling() {
  if (is_file(file("modules.json"))) {
    const Modules modules = read_modules(file("modules.json"));
    has_normalize_module_ = modules.has_normalize;
    if (modules.pooling_folder) pooling_ = read_pooling(file(*modules.pooling_folder) + "/config.json");
  } else if (is_file(file("1_Pooling/config.json"))) {
    pooling_ = read_pooling(file("1_Pooling/config.json"));
  }
}

void ModelDirectory::read_prompts() {
  const std::string path = file("config_sentence_transformers.json");
  if (!is_file(path)) return;
  const JsonDocument document = JsonDocument::parse_file(path);
  if (const auto prompts = document.root().find("prompts")) {
    for (const auto [name, text] : prompts->as_object()) {
      if (text.is_null()) continue;
      prompts_.emplace_back(name, Json(document, text, name).as_string());
    }
  }
  const auto chosen = document.root().find("default_prompt_name");
  if (!chosen) return;
  default_prompt_ = chosen->as_string();
  const auto is_chosen = [&](const auto& prompt) { return prompt.first == *default_prompt_; };
  if (std::ranges::none_of(prompts_, is_chosen)) {
    fail(ErrorKind::kModelFile, path, "'default_prompt_name' is '{}', which is not among the prompts",
         *default_prompt_);
  }
}

}  // namespace jina
