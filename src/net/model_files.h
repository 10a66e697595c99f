#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/hub.h"

namespace jina {

/// Small files of a repository that say which others a model needs; nothing where the repository has no such file.
struct ModelFileHints {
  std::optional<std::string> modules_json{};  ///< modules.json: the module folders (1_Pooling, 2_Dense, …)
  std::optional<std::string> index_json{};    ///< model.safetensors.index.json: the shards
};

constexpr std::string_view kModulesFile = "modules.json";
constexpr std::string_view kWeightsFile = "model.safetensors";
constexpr std::string_view kWeightsIndexFile = "model.safetensors.index.json";

/// The file with this path in a listing; null when there is none.
const HubFile* find_file(const HubListing& listing, std::string_view path);

/// The files that the engine reads, out of all that a repository holds: configuration, tokenizer, module folders,
/// safetensors weights and adapters; never other weight formats. Errors: kUnsupported when there are no safetensors,
/// no config.json or no tokenizer.json; kNetwork when a name is unsafe or a shard is missing. `model` is for messages.
std::vector<HubFile> select_model_files(const HubListing& listing, const ModelFileHints& hints,
                                        const std::string& model);

}  // namespace jina
