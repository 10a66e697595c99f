#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// The strings of a vocabulary by id and the ids by string, in flat arrays (about 20 bytes a token beside its text).
/// Immutable.
class TokenTable {
 public:
  static constexpr int32_t kAbsent = -1;

  /// One entry per id; those without a string have a null data().
  explicit TokenTable(std::span<const std::string_view> text_of_id);

  /// The id of a string, kAbsent when it has none. Of ids with the same string the lowest is found.
  int32_t find(std::string_view text) const { return text.size() > longest_ ? kAbsent : find_hashed(text, hash(text)); }
  /// find() for many strings at once, several times faster where the table does not fit the caches.
  void find_all(std::span<const std::string_view> texts, std::span<int32_t> ids) const;
  /// The string of an id in [0, size()); empty when it has none.
  std::string_view text(int32_t id) const {
    return std::string_view(arena_).substr(begins_[id], begins_[id + 1] - begins_[id]);
  }
  int32_t size() const { return static_cast<int32_t>(begins_.size()) - 1; }
  /// An id whose string a lower id has too.
  std::optional<int32_t> duplicate() const { return duplicate_; }

 private:
  static uint64_t hash(std::string_view text);
  int32_t find_hashed(std::string_view text, uint64_t hash) const;
  void insert(int32_t id, uint64_t hash);

  std::string arena_;
  std::vector<uint32_t> begins_;  // into arena_, by id, and the end
  std::vector<uint64_t> slots_;   // open addressing: upper half of the hash, id + 1; 0 is empty
  uint64_t mask_ = 0;
  size_t longest_ = 0;
  std::optional<int32_t> duplicate_;
};

}  // namespace jina
