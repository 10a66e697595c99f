#include "net/manifest.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace jina {

namespace {

constexpr int64_t kManifestVersion = 1;

std::string path_of(const std::string& directory) { return directory + "/" + std::string(kManifestFile); }

void append_member(std::string& out, std::string_view key, std::string_view value) {
  append_json_string(out, key);
  out += ": ";
  append_json_string(out, value);
}

}  // namespace

int64_t Manifest::bytes() const {
  int64_t sum = 0;
  for (const ManifestFile& file : files) sum += file.size;
  return sum;
}

std::optional<Manifest> read_manifest(const std::string& directory) {
  const std::string path = path_of(directory);
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return std::nullopt;
  const JsonDocument document = JsonDocument::parse_file(path);
  const Json root = document.root();
  if (root.at("version").as_int() != kManifestVersion) {
    fail(ErrorKind::kModelFile, path, "'version': expected {}, found {}", kManifestVersion,
         root.at("version").as_int());
  }
  const auto model =
      ModelName::parse(fmt::format("{}@{}", root.at("name").as_string(), root.at("revision").as_string()));
  if (!model) root.at("name").reject("the name of a model, ORG/NAME, and a revision");
  Manifest manifest{*model, std::string(root.at("commit").as_string()), {}};
  for (const Json& file : root.at("files").as_array()) {
    const std::string_view name = file.at("path").as_string();
    if (!is_safe_path(name)) file.at("path").reject("a path inside the directory");
    manifest.files.push_back({std::string(name), file.at("size").as_int(), std::string(file.at("sha256").as_string())});
  }
  return manifest;
}

void write_manifest(const std::string& directory, const Manifest& manifest) {
  std::string text = fmt::format("{{\n  \"version\": {},\n  ", kManifestVersion);
  append_member(text, "name", manifest.model.repository());
  text += ",\n  ";
  append_member(text, "revision", manifest.model.revision);
  text += ",\n  ";
  append_member(text, "commit", manifest.commit);
  text += ",\n  \"files\": [";
  std::string_view separator = "\n";
  for (const ManifestFile& file : manifest.files) {
    text += separator;
    text += "    {";
    append_member(text, "path", file.path);
    text += fmt::format(", \"size\": {}, ", file.size);
    append_member(text, "sha256", file.sha256);
    text += "}";
    separator = ",\n";
  }
  text += "\n  ]\n}\n";
  AtomicFile file(path_of(directory));
  file.write(text);
  file.commit();
}

std::vector<std::string> missing_files(const std::string& directory, const Manifest& manifest) {
  std::vector<std::string> missing;
  for (const ManifestFile& file : manifest.files) {
    std::error_code code;
    const auto size = std::filesystem::file_size(directory + "/" + file.path, code);
    if (code || static_cast<int64_t>(size) != file.size) missing.push_back(file.path);
  }
  return missing;
}

}  // namespace jina
