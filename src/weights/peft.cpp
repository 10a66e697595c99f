#include "weights/peft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/json_object.h"
#include "weights/safetensors.h"
#include "weights/safetensors_header.h"

namespace jina {

namespace {

constexpr std::string_view kPrefix = "base_model.model.";

/// Fields of LoraConfig (peft 0.21.2) that change the mathematics of a layer; each must be absent, null, false or
/// empty.
constexpr std::array<std::string_view, 15> kMustBeOff{
    "use_dora",
    "lora_bias",
    "fan_in_fan_out",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layer_replication",
    "target_parameters",
    "use_qalora",
    "use_bdlora",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "trainable_token_indices",
    "monteclora_config",
};

bool is_off(const Json& value) {
  if (value.is_bool()) return !value.as_bool();
  if (value.is_array()) return value.as_array().empty();
  if (value.is_object()) return value.as_object().size() == 0;
  return false;
}

[[noreturn]] void reject(const Json& config, const std::string& reason) {
  fail(config.document().kind(), config.document().where(), "{}", reason);
}

/// The tensors of an adapter file under the names of the model's own modules.
class AdapterSource final : public WeightSource {
 public:
  AdapterSource(std::shared_ptr<WeightSource> file, bool is_prefixed) : file_(std::move(file)) {
    if (is_prefixed) prefix_ = kPrefix;
  }

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    return file_->find(prefix_ + name, shape);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> all = file_->names();
    for (std::string& name : all) name.erase(0, prefix_.size());
    return all;
  }
  const std::string& where() const override { return file_->where(); }
  void release(const Tensor& tensor) override { file_->release(tensor); }

 private:
  std::shared_ptr<WeightSource> file_;
  std::string prefix_;
};

/// Every A and B must have the rank that the config states: an adapter of another rank would have another scale.
void check_ranks(WeightSource& source, int64_t rank) {
  for (const std::string& name : source.names()) {
    const bool is_a = name.ends_with(".lora_A.weight") || name.ends_with(".lora_embedding_A");
    const bool is_b = name.ends_with(".lora_B.weight") || name.ends_with(".lora_embedding_B");
    if (!is_a && !is_b) continue;
    const Shape shape = source.find(name, {})->shape();
    if (shape.rank() == 2 && shape[is_a ? 0 : 1] == rank) continue;
    fail(ErrorKind::kModelFile, source.where(), "tensor {}: expected {} of rank {}, file has {}", quoted_name(name),
         is_a ? "(rank, in)" : "(out, rank)", rank, to_string(shape));
  }
}

}  // namespace

PeftConfig peft_config_of(const Json& config) {
  const std::string method = config.string_or("peft_type", "LORA");
  if (method != "LORA") reject(config, fmt::format("'peft_type' is {}, expected LORA", quoted_name(method)));
  for (const std::string_view key : kMustBeOff) {
    const auto value = config.find(key);
    if (value && !is_off(*value)) reject(config, fmt::format("'{}' is set, which is not supported", key));
  }
  const std::string bias = config.string_or("bias", "none");
  if (bias != "none") reject(config, fmt::format("'bias' is {}, expected 'none'", quoted_name(bias)));
  const int64_t rank = config.at("r").as_int();
  const double alpha = config.at("lora_alpha").as_double();
  if (rank <= 0) reject(config, fmt::format("'r': expected a positive integer, found {}", rank));
  const auto size = static_cast<double>(rank);
  return {.scale = alpha / (config.bool_or("use_rslora", false) ? std::sqrt(size) : size), .rank = rank};
}

std::string peft_config_text(int64_t rank, double alpha, const std::vector<std::string>& modules) {
  JsonObject config;
  for (const char* none : {"auto_mapping", "base_model_name_or_path", "modules_to_save", "task_type"}) {
    config.set_json(none, "null");
  }
  config.set("peft_type", "LORA").set("r", rank);
  const auto whole = static_cast<int64_t>(alpha);
  if (static_cast<double>(whole) == alpha) {
    config.set("lora_alpha", whole);  // PEFT declares an integer
  } else {
    config.set("lora_alpha", alpha);
  }
  config.set("lora_dropout", 0.0).set("bias", "none").set("target_modules", modules);
  config.set("rank_pattern", JsonObject()).set("alpha_pattern", JsonObject());
  for (const char* off : {"fan_in_fan_out", "use_dora", "use_rslora"}) config.set(off, false);
  for (const char* on : {"inference_mode", "init_lora_weights"}) config.set(on, true);
  return config.text();
}

std::optional<PeftAdapter> open_peft_adapter(const std::string& folder) {
  const std::string config_path = folder + "/adapter_config.json";
  std::error_code ignored;
  if (!std::filesystem::exists(config_path, ignored)) return std::nullopt;
  const PeftConfig config = peft_config_of(JsonDocument::parse_file(config_path).root());
  const auto file = open_safetensors_file(folder + "/adapter_model.safetensors");
  const std::vector<std::string> names = file->names();
  const auto is_prefixed = [](const std::string& name) { return name.starts_with(kPrefix); };
  auto source = std::make_shared<AdapterSource>(file, std::ranges::all_of(names, is_prefixed));
  check_ranks(*source, config.rank);
  return PeftAdapter{.scale = config.scale, .rank = config.rank, .source = std::move(source)};
}

}  // namespace jina
