#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace jina::test {

/// The directory of the default model in the model cache (JINA_CACHE, else the user's cache folder); it is fetched by
/// tools/fetch_default_model.sh and not part of the repository, so tests skip visibly when it is absent.
inline std::string default_model_directory() {
  const auto variable = [](const char* name) { return std::getenv(name) == nullptr ? "" : std::getenv(name); };
  std::string cache = variable("JINA_CACHE");
  if (cache.empty()) {
    const std::string caches = variable("XDG_CACHE_HOME");
    cache = (caches.empty() ? std::string(variable("HOME")) + "/.cache" : caches) + "/jina";
  }
  return cache + "/models/all-MiniLM-L6-v2";
}

inline bool has_default_model() { return std::filesystem::exists(default_model_directory() + "/model.safetensors"); }

}  // namespace jina::test
