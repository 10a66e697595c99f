#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/model_name.h"

namespace jina {

constexpr std::string_view kManifestFile = "jina-manifest.json";

struct ManifestFile {
  std::string path;    ///< relative to the model's directory
  int64_t size = 0;    ///< bytes
  std::string sha256;  ///< 64 hexadecimal digits
};

/// What a pulled directory holds; written last, so that a directory of a pull without it is incomplete.
struct Manifest {
  ModelName model;     ///< with the revision that was asked for
  std::string commit;  ///< what the revision was at the time
  std::vector<ManifestFile> files;

  int64_t bytes() const;
};

/// The manifest of a directory; nothing when it has none. Error kModelFile when it is broken.
std::optional<Manifest> read_manifest(const std::string& directory);

/// Writes it atomically. Error kIo.
void write_manifest(const std::string& directory, const Manifest& manifest);

/// Files of the manifest that are absent or of another size, by path.
std::vector<std::string> missing_files(const std::string& directory, const Manifest& manifest);

}  // namespace jina
