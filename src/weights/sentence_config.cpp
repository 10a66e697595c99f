#include "weights/sentence_config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/error.h"

namespace jina {

namespace {

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

[[noreturn]] void reject(const Json& value, const std::string& reason) {
  fail(value.document().kind(), value.document().where(), "{}", reason);
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
    const Json flag(config.document(), value, key);
    if (!key.starts_with("pooling_mode_") || flag.is_null() || !flag.as_bool()) continue;
    const auto* known = std::ranges::find(kPoolingNames, key, &PoolingName::flag);
    modes.emplace_back(known == kPoolingNames.end() ? key : known->mode);
  }
  if (modes.empty()) modes.emplace_back("mean");  // as Pooling's _convert_legacy_pooling_kwargs does
  return modes;
}

/// Last part of a dotted class name: "sentence_transformers.models.Pooling" gives "Pooling".
std::string_view class_name(std::string_view type) { return type.substr(type.rfind('.') + 1); }

/// A path out of modules.json: relative and inside the directory.
std::string inner_path(const Json& field) {
  const std::string_view path = field.as_string();
  const std::filesystem::path parts(path);
  const bool is_inside = path.find('\0') == std::string_view::npos && !parts.is_absolute() &&
                         std::ranges::none_of(parts, [](const auto& part) { return part == ".."; });
  if (!is_inside) reject(field, "'path' of a module: expected a path inside the model directory");
  return std::string(path);
}

}  // namespace

std::string pooling_of(const Json& config) {
  const std::vector<std::string> modes = requested_modes(config);
  if (modes.size() != 1) {
    reject(config, fmt::format("expected one pooling mode, found {}: {}", modes.size(), fmt::join(modes, ", ")));
  }
  const auto* known = std::ranges::find(kPoolingNames, modes[0], &PoolingName::mode);
  if (known == kPoolingNames.end() || known->ours.empty()) {
    reject(config, fmt::format("pooling mode '{}' is not supported, expected mean, cls or lasttoken", modes[0]));
  }
  if (!config.bool_or("include_prompt", true)) {
    reject(config, "'include_prompt' is false: pooling without the tokens of the prompt is not supported");
  }
  return std::string(known->ours);
}

SentenceModules modules_of(const Json& list) {
  // Dropout does nothing outside training.
  static constexpr std::array<std::string_view, 2> kNeutral{"Transformer", "Dropout"};
  SentenceModules modules;
  for (const Json& module : list.as_array()) {
    const std::string_view type = module.at("type").as_string();
    const std::string_view name = class_name(type);
    if (name == "Pooling") {
      if (modules.pooling_folder) reject(list, "more than one Pooling module");
      modules.pooling_folder = inner_path(module.at("path"));
    } else if (name == "Normalize") {
      modules.has_normalize = true;
    } else if (std::ranges::find(kNeutral, name) == kNeutral.end()) {
      reject(list, fmt::format("module '{}' is not supported, expected Transformer, Pooling or Normalize", type));
    }
  }
  return modules;
}

SentencePrompts prompts_of(const Json& config) {
  SentencePrompts result;
  std::set<std::string, std::less<>> names;
  if (const auto prompts = config.find("prompts")) {
    for (const auto [name, text] : prompts->as_object()) {
      if (!names.emplace(name).second) reject(config, fmt::format("prompt '{}' is given twice", name));
      result.prompts.emplace_back(name, Json(config.document(), text, name).as_string());
    }
  }
  if (const auto chosen = config.find("default_prompt_name")) {
    result.chosen = chosen->as_string();
    if (!names.contains(*result.chosen)) {
      reject(config, fmt::format("'default_prompt_name' is '{}', which is not among the prompts", *result.chosen));
    }
  }
  return result;
}

std::optional<int64_t> max_sequence_length_of(const Json& config) {
  if (config.bool_or("do_lower_case", false)) {
    reject(config, "'do_lower_case' is true: lower-casing before the tokenizer is not supported");
  }
  const auto length = config.find("max_seq_length");
  if (!length) return std::nullopt;
  if (length->as_int() <= 0) {
    reject(*length, fmt::format("'max_seq_length': expected a positive integer, found {}", length->as_int()));
  }
  return length->as_int();
}

std::optional<int64_t> tokenizer_max_length_of(const Json& config) {
  // transformers writes int(1e30) for "no limit", so the value need not fit an integer.
  constexpr double kNoLimit = 1e9;
  const double length = config.double_or("model_max_length", kNoLimit);
  if (!(length >= 1 && length < kNoLimit)) return std::nullopt;
  return static_cast<int64_t>(length);
}

}  // namespace jina
