#include "weights/digest.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "weights/safetensors.h"
#include "weights/sentence_config.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCacheFile = ".jina-digest.json";
constexpr std::string_view kManifestFile = "jina-manifest.json";
constexpr int64_t kCacheVersion = 1;

/// Files in the root that decide vectors where they exist, beside weights and kSentenceConfigs.
constexpr std::array<std::string_view, 5> kRootFiles{
    "config.json", "tokenizer.json", "tokenizer_config.json", "modules.json", "config_sentence_transformers.json",
};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// PEFT folders lie in the root or below adapters/; only the files that are read there count.
void add_adapters(const fs::path& directory, const fs::path& root, int depth, std::set<std::string>& names) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (!entry.is_directory(ignored)) continue;
    for (const std::string_view name : {"adapter_config.json", "adapter_model.safetensors"}) {
      if (is_file(entry.path() / name)) names.insert((entry.path() / name).lexically_relative(root).generic_string());
    }
    if (depth > 0) add_adapters(entry.path(), root, depth - 1, names);
  }
}

FileState state_of(const std::string& path) {
  const auto state = find_file_state(path);
  if (!state) fail(ErrorKind::kIo, path, "cannot read: it has vanished");
  return *state;
}

struct KnownFile {
  FileState state;
  std::string sha256;
};

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Digests of earlier runs. It only saves time, so a cache that is broken or cannot be written is no error.
class DigestCache {
 public:
  DigestCache(const std::string& directory, const std::string& cache_directory, std::chrono::nanoseconds settled)
      : directory_(directory), settled_ns_(settled.count()) {
    std::error_code code;
    absolute_ = fs::canonical(directory, code).string();
    paths_.push_back(directory + "/" + std::string(kCacheFile));
    if (!cache_directory.empty()) {
      Sha256 key;
      key.update(absolute_);
      paths_.push_back(fmt::format("{}/digest-{}.json", cache_directory, key.hex().substr(0, 32)));
    }
    for (const std::string& path : paths_) {
      if (is_file(path)) read_cache(path);
    }
    read_manifest();
  }

  std::string digest_of(const std::string& name) {
    const std::string path = directory_ + "/" + name;
    const FileState before = state_of(path);
    if (const auto known = known_.find(name); known != known_.end() && known->second.state == before) {
      return known->second.sha256;
    }
    if (const auto pulled = pulled_.find(name); pulled != pulled_.end() && is_as_pulled(before, pulled->second)) {
      return pulled->second.sha256;
    }
    const int64_t started_ns = now_ns();
    std::string digest = sha256_of_file(path);
    if (state_of(path) == before && before.changed_ns + settled_ns_ < started_ns) {
      known_[name] = {before, digest};
      is_changed_ = true;
    }
    return digest;
  }

  /// Into the first place that can be written.
  void save() const {
    if (!is_changed_) return;
    const std::string text = to_json();
    for (const std::string& path : paths_) {
      try {
        fs::create_directories(fs::path(path).parent_path());
        AtomicFile file(path);
        file.write(text);
        file.commit();
        return;
      } catch (const std::exception&) {
        continue;  // a directory that cannot be written, a full disk: the next start computes the digests again
      }
    }
  }

 private:
  static int64_t now_ns() {
    using std::chrono::nanoseconds;
    return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  std::string to_json() const {
    std::string text = fmt::format("{{\"version\": {}, \"directory\": ", kCacheVersion);
    append_json_string(text, repair_utf8(absolute_));
    text += ", \"files\": [";
    std::string_view separator = "\n";
    for (const auto& [name, file] : known_) {
      text += separator;
      text += "{\"path\": ";
      append_json_string(text, repair_utf8(name));
      text +=
          fmt::format(R"(, "size": {}, "inode": {}, "mtime_ns": {}, "ctime_ns": {}, "sha256": "{}"}})", file.state.size,
                      file.state.inode, file.state.modified_ns, file.state.changed_ns, file.sha256);
      separator = ",\n";
    }
    return text + "\n]}\n";
  }

  /// The manifest is written when all files are in place: a file that has not changed since is what was pulled.
  bool is_as_pulled(const FileState& now, const KnownFile& pulled) const {
    return now.size == pulled.state.size && now.changed_ns < manifest_written_ns_;
  }

  void read_cache(const std::string& path) {
    try {
      const JsonDocument document = JsonDocument::parse_file(path);
      const Json root = document.root();
      if (root.int_or("version", 0) != kCacheVersion || root.string_or("directory", "") != repair_utf8(absolute_))
        return;
      for (const Json& file : root.at("files").as_array()) {
        const std::string_view digest = file.at("sha256").as_string();
        if (!is_sha256(digest)) continue;
        const FileState state{file.at("size").as_int(), file.at("inode").as_int(), file.at("mtime_ns").as_int(),
                              file.at("ctime_ns").as_int()};
        known_[std::string(file.at("path").as_string())] = {state, std::string(digest)};
      }
    } catch (const Error&) {
      return;  // cut short or of another version; what was read before the fault holds only for unchanged files
    }
  }

  void read_manifest() {
    const std::string path = directory_ + "/" + std::string(kManifestFile);
    const auto state = find_file_state(path);
    if (!state) return;
    manifest_written_ns_ = state->modified_ns;
    const JsonDocument document = JsonDocument::parse_file(path);
    const auto files = document.root().find("files");
    if (!files) return;
    for (const Json& file : files->as_array()) {
      const std::string_view digest = file.at("sha256").as_string();
      if (!is_sha256(digest)) continue;
      KnownFile& pulled = pulled_[std::string(file.at("path").as_string())];
      pulled.state.size = file.at("size").as_int();
      pulled.sha256 = digest;
    }
  }

  std::string directory_;
  int64_t settled_ns_;
  std::string absolute_;
  std::vector<std::string> paths_;  // of the cache, best first
  std::map<std::string, KnownFile> known_;
  std::map<std::string, KnownFile> pulled_;  // of the manifest; only size and digest are set
  int64_t manifest_written_ns_ = 0;
  bool is_changed_ = false;
};

}  // namespace

std::vector<std::string> vector_files(const std::string& directory) {
  std::set<std::string> names;
  const auto add_present = [&](std::string_view name) {
    if (is_file(fs::path(directory) / name)) names.emplace(name);
  };
  std::ranges::for_each(kRootFiles, add_present);
  std::ranges::for_each(kSentenceConfigs, add_present);
  for (std::string& name : weight_files(directory)) names.insert(std::move(name));
  std::string pooling = "1_Pooling";
  if (names.contains("modules.json")) {
    const SentenceModules modules = modules_of(JsonDocument::parse_file(directory + "/modules.json").root());
    pooling = modules.pooling_folder.value_or("");
  }
  const std::string pooling_config = (fs::path(pooling) / "config.json").lexically_normal().generic_string();
  if (is_file(fs::path(directory) / pooling_config)) names.insert(pooling_config);
  constexpr int kAdapterDepth = 1;
  add_adapters(directory, directory, kAdapterDepth, names);
  return {names.begin(), names.end()};
}

std::string weights_digest(const std::string& directory, const std::string& cache_directory,
                           std::chrono::nanoseconds settled) {
  DigestCache cache(directory, cache_directory, settled);
  Sha256 whole;
  for (const std::string& name : vector_files(directory)) {
    whole.update(name);
    whole.update(std::string_view("\0", 1));
    whole.update(cache.digest_of(name));
    whole.update("\n");
  }
  cache.save();
  return whole.hex();
}

}  // namespace jina
