#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace jina {

/// Vectors on disk by the token ids they were made of, for a teacher that is asked again and again. A file of records
/// (two hashes of the ids, the values), only appended to; a last record that was not written whole is dropped when the
/// file is opened again. One process writes it.
class VectorCache {
 public:
  /// `path` is made when absent; a file of another width is begun anew. Errors: kIo.
  VectorCache(std::string path, int64_t width);

  /// What must be the same for vectors to be the same: put it into the path.
  std::optional<std::vector<float>> find(std::span<const int32_t> ids);
  /// Error kIo (disk full).
  void add(std::span<const int32_t> ids, std::span<const float> values);
  size_t size() const { return places_.size(); }

 private:
  struct Key {
    uint64_t first;
    uint64_t second;
    bool operator==(const Key&) const = default;
  };
  struct HashKey {
    size_t operator()(const Key& key) const { return key.first; }
  };

  static Key key_of(std::span<const int32_t> ids);
  void read_keys();

  std::string path_;
  int64_t width_;
  std::fstream file_;
  std::unordered_map<Key, uint64_t, HashKey> places_;  // of the values, in bytes
  uint64_t end_ = 0;
};

}  // namespace jina
