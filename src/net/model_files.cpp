#include "net/model_files.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "net/model_name.h"

namespace jina {

namespace {

constexpr std::array<std::string_view, 8> kRootFiles = {
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    kModulesFile,
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    kWeightsIndexFile,
};
constexpr std::string_view kAdapterFolder = "adapters/";
constexpr std::array<std::string_view, 2> kAdapterFiles = {"adapter_config.json", "adapter_model.safetensors"};

bool is_weights(std::string_view path) { return path.ends_with(".safetensors"); }

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// Adapters come as folders in PEFT's form anywhere, or as files below adapters/.
bool is_adapter(std::string_view path) {
  if (std::find(kAdapterFiles.begin(), kAdapterFiles.end(), base_name(path)) != kAdapterFiles.end()) return true;
  return path.starts_with(kAdapterFolder) && (is_weights(path) || path.ends_with(".json"));
}

std::vector<std::string> module_folders(const ModelFileHints& hints, const std::string& model) {
  std::vector<std::string> folders;
  if (!hints.modules_json) return folders;
  const JsonDocument document =
      JsonDocument::parse(*hints.modules_json, model + "/modules.json", ErrorKind::kModelFile);
  for (const Json& module : document.root().as_array()) {
    std::string path = module.string_or("path", "");
    if (!path.empty()) folders.push_back(std::move(path));
  }
  return folders;
}

/// The weight files in the root: the one file, or the shards of the index.
std::set<std::string> weight_files(const HubListing& listing, const ModelFileHints& hints, const std::string& model) {
  if (find_file(listing, kWeightsFile) != nullptr) return {std::string(kWeightsFile)};
  if (!hints.index_json) return {};
  const std::string where = fmt::format("{}/{}", model, kWeightsIndexFile);
  const JsonDocument document = JsonDocument::parse(*hints.index_json, where, ErrorKind::kModelFile);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : document.root().at("weight_map").as_object()) {
    std::string_view name;
    if (shard.get(name) != simdjson::SUCCESS || !is_weights(name)) {
      fail(ErrorKind::kModelFile, where, "tensor '{}': expected the name of a .safetensors file", tensor);
    }
    shards.emplace(name);
  }
  for (const std::string& shard : shards) {
    if (find_file(listing, shard) == nullptr) {
      fail(ErrorKind::kNetwork, where, "names the shard '{}', which the repository does not have", shard);
    }
  }
  return shards;
}

[[noreturn]] void fail_without_weights(const HubListing& listing, const std::string& model) {
  std::string others;
  for (const HubFile& file : listing.files) {
    const bool is_other = file.path.ends_with(".bin") || file.path.ends_with(".pt") || file.path.ends_with(".onnx") ||
                          file.path.ends_with(".gguf") || file.path.ends_with(".h5");
    if (is_other && others.size() < 200) others += (others.empty() ? "" : ", ") + file.path;
  }
  fail(ErrorKind::kUnsupported, model, "no weights in safetensors form: expected {} or {}{}", kWeightsFile,
       kWeightsIndexFile, others.empty() ? "" : "; it has only " + others);
}

}  // namespace

const HubFile* find_file(const HubListing& listing, std::string_view path) {
  for (const HubFile& file : listing.files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

std::vector<HubFile> select_model_files(const HubListing& listing, const ModelFileHints& hints,
                                        const std::string& model) {
  const std::set<std::string> weights = weight_files(listing, hints, model);
  if (weights.empty()) fail_without_weights(listing, model);
  for (const std::string_view needed : {"config.json", "tokenizer.json"}) {
    if (find_file(listing, needed) == nullptr) {
      fail(ErrorKind::kUnsupported, model, "the repository has no {}, which the engine needs", needed);
    }
  }
  const std::vector<std::string> folders = module_folders(hints, model);
  const auto is_of_module = [&](std::string_view path) {
    return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
      return path == folder + "/config.json" || path == fmt::format("{}/{}", folder, kWeightsFile);
    });
  };
  const bool is_sharded = weights.count(std::string(kWeightsFile)) == 0;
  std::vector<HubFile> selected;
  std::set<std::string_view> seen;
  for (const HubFile& file : listing.files) {
    const bool is_root_file = std::find(kRootFiles.begin(), kRootFiles.end(), file.path) != kRootFiles.end() &&
                              (is_sharded || file.path != kWeightsIndexFile);
    if (!is_root_file && weights.count(file.path) == 0 && !is_of_module(file.path) && !is_adapter(file.path)) continue;
    if (!is_safe_path(file.path)) {
      fail(ErrorKind::kNetwork, model, "the hub lists a file under an unsafe name: '{}'", printable_line(file.path));
    }
    if (seen.insert(file.path).second) selected.push_back(file);
  }
  return selected;
}

}  // namespace jina
