#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// 64 bits of a text; the same on every machine and in every run. Not for adversaries.
uint64_t hash_text(std::string_view text, uint64_t seed = 0);

/// A set of 64-bit hashes that is filled once and asked often.
class HashSet {
 public:
  /// False when it was there already.
  bool insert(uint64_t hash);
  bool contains(uint64_t hash) const;
  size_t size() const { return size_; }

 private:
  size_t find_slot(uint64_t hash) const;
  void grow();

  std::vector<uint64_t> slots_;  // 0: free; a power of two of them
  size_t size_ = 0;
};

/// Distinct texts in one block of memory, numbered by first appearance: equal texts have one number.
class TextTable {
 public:
  int32_t add(std::string_view text);
  std::string_view operator[](int32_t text) const {
    const auto i = static_cast<size_t>(text);
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  int32_t size() const { return static_cast<int32_t>(hashes_.size()); }

 private:
  void grow();

  std::string bytes_;
  std::vector<uint64_t> offsets_{0};  // (texts + 1)
  std::vector<uint64_t> hashes_;      // (texts)
  std::vector<int32_t> slots_;        // text + 1, 0: free; a power of two of them
};

}  // namespace jina
