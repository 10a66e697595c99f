#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace jina {

/// A static map from byte strings to their indices that finds all keys a text begins with in one walk: a double array
/// whose children lie at base + byte. No two nodes share a base, so that the byte alone tells whose child a slot is.
class ByteTrie {
 public:
  /// Largest number of keys.
  static constexpr size_t kMaxKeys = (size_t{1} << 23) - 1;

  /// The value of a key is its index; of equal keys the last one counts. Empty keys are left out. At most kMaxKeys.
  /// Error kModelFile when they need more than 2^24 nodes.
  explicit ByteTrie(std::span<const std::string_view> keys);

  std::optional<int32_t> find(std::string_view key) const;
  /// A place in the trie where a walk can begin.
  using Place = uint32_t;
  Place root() const { return root_; }
  /// Where the walk along `key` arrives; from there no key is found when none begins with it.
  Place descend(std::string_view key) const;
  /// Calls visit(length, value) for each key that `text` begins with, shortest first.
  template <typename Visit>
  void for_each_prefix(std::string_view text, Visit&& visit) const {
    for_each_prefix(root_, text, visit);
  }
  /// As above for the rest of each key that goes through `place`; the key that ends there is left out.
  template <typename Visit>
  void for_each_prefix(Place place, std::string_view text, Visit&& visit) const {
    uint32_t children = place;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((children >> byte % kFilterBits & 1) == 0) return;
      const Unit unit = units_[(children >> kFilterBits) + byte];
      if ((unit.packed & kTagMask) != (kTaken | byte)) return;
      children = unit.children;
      if (const uint32_t value = unit.packed >> kValueShift; value != kNoValue)
        visit(i + 1, static_cast<int32_t>(value));
    }
  }

  size_t bytes() const { return units_.size() * sizeof(Unit); }

 private:
  struct Unit {
    uint32_t children = 0;                      // base; bit b of the filter: some child's byte is b modulo kFilterBits
    uint32_t packed = kNoValue << kValueShift;  // value, kTaken, byte that leads here
  };
  static constexpr uint32_t kTaken = 0x100;
  static constexpr uint32_t kTagMask = 0x1FF;
  static constexpr uint32_t kValueShift = 9;
  static constexpr uint32_t kNoValue = 0x7FFFFF;
  static constexpr uint32_t kFilterBits = 8;  // most bytes that lead nowhere are known without a look at their slot
  class Builder;

  std::vector<Unit> units_;
  uint32_t root_ = 0;  // as Unit::children
};

}  // namespace jina
