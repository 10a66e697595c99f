#include "text/byte_trie.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/error.h"

namespace jina {
namespace {

constexpr uint32_t kBytes = 256;

struct SortedKey {
  uint64_t head;  // the first eight bytes, big-endian, filled up with zeros
  uint32_t index;
};

uint64_t head_of(std::string_view key) {
  uint64_t head = 0;
  for (size_t i = 0; i < 8; ++i) head = head << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return head;
}

/// Least significant byte first; passes in which all keys agree are left out.
void radix_sort(std::vector<SortedKey>& keys) {
  std::array<std::array<uint32_t, kBytes>, 8> counts{};
  for (const SortedKey& key : keys) {
    for (size_t i = 0; i < 8; ++i) ++counts[i][key.head >> (8 * i) & 0xFF];
  }
  std::vector<SortedKey> other(keys.size());
  for (size_t i = 0; i < 8; ++i) {
    if (std::ranges::find(counts[i], keys.size()) != counts[i].end()) continue;
    uint32_t begin = 0;
    for (uint32_t& count : counts[i]) begin += std::exchange(count, begin);
    for (const SortedKey& key : keys) other[counts[i][key.head >> (8 * i) & 0xFF]++] = key;
    keys.swap(other);
  }
}

/// Non-empty keys in order of their bytes, equal ones in order of their indices.
std::vector<SortedKey> sort_keys(std::span<const std::string_view> keys) {
  std::vector<SortedKey> sorted;
  sorted.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i].empty()) sorted.push_back({head_of(keys[i]), static_cast<uint32_t>(i)});
  }
  radix_sort(sorted);
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin + 1;
    while (end < sorted.size() && sorted[end].head == sorted[begin].head) ++end;
    std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(begin), sorted.begin() + static_cast<std::ptrdiff_t>(end),
              [&](const SortedKey& a, const SortedKey& b) {
                const int order = keys[a.index].compare(keys[b.index]);
                return order != 0 ? order < 0 : a.index < b.index;
              });
    begin = end;
  }
  return sorted;
}

/// Which slots and bases are in use, and the search for a base whose children's slots are all free.
class SlotMap {
 public:
  /// The base for children reached by `bytes` (ascending); marks it and their slots as taken.
  uint32_t place(std::span<const unsigned char> bytes) {
    size_t& start = starts_[std::min<size_t>(bytes.size(), starts_.size()) - 1];
    size_t word = start;
    uint64_t candidates = 0;
    while ((candidates = bases_near(word, bytes)) == 0) ++word;
    // Crowded words are given up, so that the search stays short; nodes with fewer children start further back.
    if (word > start + kPatience) start = word - kPatience;
    const auto base = static_cast<uint32_t>(word * 64) + static_cast<uint32_t>(std::countr_zero(candidates));
    set(used_bases_, base);
    for (const unsigned char byte : bytes) set(taken_, base + byte);
    return base;
  }

  /// Slots up to which a node may look for children.
  size_t size() const { return taken_.size() * 64; }

 private:
  static constexpr size_t kPatience = 8;  // words

  static void set(std::vector<uint64_t>& bits, size_t i) { bits[i / 64] |= uint64_t{1} << (i % 64); }

  /// Bit i: base 64 * word + i is unused and all slots of its children are free.
  uint64_t bases_near(size_t word, std::span<const unsigned char> bytes) {
    if (word + kBytes / 64 + 2 > taken_.size()) {
      taken_.resize(taken_.size() * 3 / 2 + 64);
      used_bases_.resize(taken_.size());
    }
    uint64_t free = ~used_bases_[word];
    for (const unsigned char byte : bytes) {
      const size_t first = word + byte / 64;
      const unsigned shift = byte % 64;
      uint64_t taken = taken_[first] >> shift;
      if (shift != 0) taken |= taken_[first + 1] << (64 - shift);
      free &= ~taken;
      if (free == 0) break;
    }
    return free;
  }

  std::vector<uint64_t> taken_;
  std::vector<uint64_t> used_bases_;
  std::array<size_t, 4> starts_ = {kBytes / 64, kBytes / 64, kBytes / 64, kBytes / 64};  // by number of children
};

}  // namespace

/// Places the nodes depth first, so that the nodes of a key lie close together.
class ByteTrie::Builder {
 public:
  Builder(std::span<const std::string_view> keys, ByteTrie& trie)
      : keys_(keys), trie_(trie), sorted_(sort_keys(keys)) {}

  void build() {
    trie_.units_.resize(2 * kBytes);
    if (!sorted_.empty()) trie_.root_ = add_children({0, sorted_.size(), 0, 0});
    while (!pending_.empty()) {
      const Node node = pending_.back();
      pending_.pop_back();
      const uint32_t base = add_children(node);
      trie_.units_[node.slot].base = base;
    }
    trie_.units_.resize(std::max<size_t>(slots_ + kBytes, 2 * kBytes));
    trie_.units_.shrink_to_fit();
  }

 private:
  struct Node {
    size_t begin, end;  // its keys in sorted order; all are longer than `depth`
    size_t depth;
    uint32_t slot;
  };

  std::string_view key(size_t i) const { return keys_[sorted_[i].index]; }
  unsigned char byte_at(size_t i, size_t depth) const {
    return static_cast<unsigned char>(depth < 8 ? sorted_[i].head >> (56 - 8 * depth) : key(i)[depth]);
  }

  uint32_t add_children(const Node& node) {
    std::array<unsigned char, kBytes> bytes;
    std::array<size_t, kBytes + 1> begins;
    size_t count = 0;
    for (size_t i = node.begin; i < node.end; ++i) {
      const unsigned char byte = byte_at(i, node.depth);
      if (count > 0 && bytes[count - 1] == byte) continue;
      bytes[count] = byte;
      begins[count++] = i;
    }
    begins[count] = node.end;
    const uint32_t base = slots_map_.place({bytes.data(), count});
    if (trie_.units_.size() < slots_map_.size()) trie_.units_.resize(slots_map_.size());
    slots_ = std::max<size_t>(slots_, base + kBytes);
    for (size_t child = count; child-- > 0;) add_child(node, {begins[child], begins[child + 1]}, base, bytes[child]);
    return base;
  }

  void add_child(const Node& parent, std::pair<size_t, size_t> range, uint32_t base, unsigned char byte) {
    size_t begin = range.first;
    const size_t depth = parent.depth + 1;
    uint32_t value = kNoValue;
    while (begin < range.second && key(begin).size() == depth) value = sorted_[begin++].index;
    trie_.units_[base + byte] = {kNoChildren, value << kValueShift | kTaken | byte};
    if (begin < range.second) pending_.push_back({begin, range.second, depth, base + byte});
  }

  std::span<const std::string_view> keys_;
  ByteTrie& trie_;
  std::vector<SortedKey> sorted_;
  std::vector<Node> pending_;
  SlotMap slots_map_;
  size_t slots_ = 0;  // behind the last slot that any node may look at
};

ByteTrie::ByteTrie(std::span<const std::string_view> keys) {
  JINA_CHECK(keys.size() <= kMaxKeys);
  Builder(keys, *this).build();
}

ByteTrie::Place ByteTrie::descend(std::string_view key) const {
  Place place = root_;
  for (const char character : key) {
    const auto byte = static_cast<unsigned char>(character);
    const Unit unit = units_[place + byte];
    if ((unit.packed & kTagMask) != (kTaken | byte)) return kNoChildren;
    place = unit.base;
  }
  return place;
}

std::optional<int32_t> ByteTrie::find(std::string_view key) const {
  std::optional<int32_t> found;
  for_each_prefix(key, [&](size_t length, int32_t value) {
    if (length == key.size()) found = value;
  });
  return found;
}

}  // namespace jina
