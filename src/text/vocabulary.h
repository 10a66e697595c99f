#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace jina {

/// Token strings and their ids both ways: one arena of bytes, an array by id, and an open-addressing hash.
///
///     Vocabulary vocabulary(json.at("model").at("vocab"));
///     int32_t id = vocabulary.find("##ing");
class Vocabulary {
 public:
  static constexpr int32_t kNone = -1;

  Vocabulary() = default;
  /// Reads an object of token: id. Errors: the document's kind for ids that are negative or far beyond the count.
  explicit Vocabulary(const Json& json);

  /// One byte more in the running hash of a string; starts from kHashSeed.
  static constexpr uint64_t kHashSeed = 0x9E3779B97F4A7C15u;
  static uint64_t extend_hash(uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0xD6E8FEB86659FD93u;
  }
  static uint64_t extend_hash(uint64_t hash, std::string_view bytes) {
    for (const char byte : bytes) hash = extend_hash(hash, byte);
    return hash;
  }

  /// The id of a token, or kNone.
  int32_t find(std::string_view token) const { return find_hashed(extend_hash(kHashSeed, token), token); }
  /// As `find`, for a string whose hash is known.
  int32_t find_hashed(uint64_t hash, std::string_view token) const { return find_joined(hash, {}, token); }
  /// As `find`, for `prefix` + `rest` with the hash of both together.
  int32_t find_joined(uint64_t hash, std::string_view prefix, std::string_view rest) const;

  /// The string of an id; empty when there is none.
  std::string_view token(int32_t id) const;
  /// Largest id + 1.
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  /// Number of different tokens.
  int64_t count() const { return count_; }
  /// Length in bytes of the longest token.
  size_t longest() const { return longest_; }

 private:
  struct Entry {
    uint32_t begin = 0;
    uint32_t length = 0;
  };
  struct Slot {
    uint32_t tag = 0;
    int32_t id = kNone;
  };
  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  size_t slot_of(uint64_t hash) const { return (hash ^ hash >> 29) & mask_; }
  void insert(std::string_view token, int32_t id);

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t longest_ = 0;
  int64_t count_ = 0;
};

}  // namespace jina
