#include "text/byte_trie.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
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

/// The non-empty keys in order of their bytes, equal ones in order of their indices. They are copied into one string:
/// the trie is built from neighbours, and neighbours in the vocabulary lie far apart.
class SortedKeys {
 public:
  explicit SortedKeys(std::span<const std::string_view> keys) {
    std::vector<SortedKey> sorted;
    sorted.reserve(keys.size());
    size_t bytes = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].empty()) continue;
      sorted.push_back({head_of(keys[i]), static_cast<uint32_t>(i)});
      bytes += keys[i].size();
    }
    radix_sort(sorted);
    sort_equal_heads(keys, sorted);
    text_.reserve(bytes);
    keys_.reserve(sorted.size());
    for (const SortedKey& key : sorted) {
      keys_.push_back({text_.size(), text_.size() + keys[key.index].size(), key.index});
      text_ += keys[key.index];
    }
  }

  size_t count() const { return keys_.size(); }
  size_t length(size_t i) const { return keys_[i].end - keys_[i].begin; }
  uint32_t index(size_t i) const { return keys_[i].index; }
  unsigned char byte(size_t i, size_t place) const { return static_cast<unsigned char>(text_[keys_[i].begin + place]); }

 private:
  struct Key {
    size_t begin, end;  // in text_
    uint32_t index;
  };

  /// Sorts keys of the same head by their next eight bytes, then by all.
  static void sort_equal_heads(std::span<const std::string_view> keys, std::vector<SortedKey>& sorted) {
    const auto is_less = [&](const SortedKey& a, const SortedKey& b) {
      if (a.head != b.head) return a.head < b.head;
      const int order = keys[a.index].compare(keys[b.index]);
      return order != 0 ? order < 0 : a.index < b.index;
    };
    for (auto begin = sorted.begin(); begin != sorted.end();) {
      const uint64_t head = begin->head;
      const auto end = std::find_if(begin, sorted.end(), [&](const SortedKey& key) { return key.head != head; });
      if (end - begin > 1) {
        for (auto key = begin; key != end; ++key) {
          key->head = head_of(keys[key->index].substr(std::min<size_t>(8, keys[key->index].size())));
        }
        std::sort(begin, end, is_less);
      }
      begin = end;
    }
  }

  std::string text_;
  std::vector<Key> keys_;
};

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
  static constexpr size_t kPatience = 1;  // words

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
  Builder(std::span<const std::string_view> keys, ByteTrie& trie) : trie_(trie), keys_(keys) {}

  void build() {
    trie_.units_.resize(2 * kBytes);
    if (keys_.count() > 0) trie_.root_ = add_children({0, keys_.count(), 0, 0});
    while (!pending_.empty()) {
      const Node node = pending_.back();
      pending_.pop_back();
      const uint32_t children = add_children(node);
      trie_.units_[node.slot].children = children;
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

  uint32_t add_children(const Node& node) {
    std::array<unsigned char, kBytes> bytes;
    std::array<size_t, kBytes + 1> begins;
    size_t count = 0;
    for (size_t i = node.begin; i < node.end; ++i) {
      const unsigned char byte = keys_.byte(i, node.depth);
      if (count > 0 && bytes[count - 1] == byte) continue;
      bytes[count] = byte;
      begins[count++] = i;
    }
    begins[count] = node.end;
    const uint32_t base = map_.place({bytes.data(), count});
    if (trie_.units_.size() < map_.size()) trie_.units_.resize(map_.size());
    slots_ = std::max<size_t>(slots_, base + kBytes);
    if (base >> (32 - kFilterBits) != 0) {
      fail(ErrorKind::kModelFile, {}, "a vocabulary of {} tokens is too large for the trie", keys_.count());
    }
    uint32_t filter = 0;
    for (size_t child = count; child-- > 0;) {
      filter |= 1u << bytes[child] % kFilterBits;
      add_child(node, {begins[child], begins[child + 1]}, base, bytes[child]);
    }
    return base << kFilterBits | filter;
  }

  void add_child(const Node& parent, std::pair<size_t, size_t> range, uint32_t base, unsigned char byte) {
    size_t begin = range.first;
    const size_t depth = parent.depth + 1;
    uint32_t value = kNoValue;
    while (begin < range.second && keys_.length(begin) == depth) value = keys_.index(begin++);
    trie_.units_[base + byte] = {0, value << kValueShift | kTaken | byte};
    if (begin < range.second) pending_.push_back({begin, range.second, depth, base + byte});
  }

  ByteTrie& trie_;
  SortedKeys keys_;
  std::vector<Node> pending_;
  SlotMap map_;
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
    if ((place >> byte % kFilterBits & 1) == 0) return 0;  // a place without children
    const Unit unit = units_[(place >> kFilterBits) + byte];
    if ((unit.packed & kTagMask) != (kTaken | byte)) return 0;
    place = unit.children;
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
