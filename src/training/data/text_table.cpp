#include "training/data/text_table.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

constexpr size_t kFewestSlots = 64;

}  // namespace

uint64_t hash_text(std::string_view text, uint64_t seed) {
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;
  uint64_t hash = mix_bits(seed + kStep * (text.size() + 1));
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    hash = mix_bits(hash ^ word) + kStep;
    text.remove_prefix(sizeof word);
  }
  uint64_t rest = 0;
  for (const char c : text) rest = rest << 8 | static_cast<unsigned char>(c);
  return mix_bits(hash ^ rest);
}

size_t HashSet::find_slot(uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0 && slots_[slot] != hash) slot = (slot + 1) & mask;
  return slot;
}

void HashSet::grow() {
  const std::vector<uint64_t> old = std::move(slots_);
  slots_.assign(std::max(kFewestSlots, old.size() * 2), 0);
  for (const uint64_t hash : old) {
    if (hash != 0) slots_[find_slot(hash)] = hash;
  }
}

bool HashSet::insert(uint64_t hash) {
  if (hash == 0) hash = 1;  // 0 marks a free slot
  if (size_ * 2 >= slots_.size()) grow();
  uint64_t& slot = slots_[find_slot(hash)];
  if (slot == hash) return false;
  slot = hash;
  ++size_;
  return true;
}

bool HashSet::contains(uint64_t hash) const {
  if (hash == 0) hash = 1;
  return size_ > 0 && slots_[find_slot(hash)] == hash;
}

void TextTable::grow() {
  slots_.assign(std::max(kFewestSlots, slots_.size() * 2), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t text = 0; text < hashes_.size(); ++text) {
    size_t slot = hashes_[text] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<int32_t>(text + 1);
  }
}

int32_t TextTable::add(std::string_view text) {
  if (hashes_.size() * 2 >= slots_.size()) grow();
  const uint64_t hash = hash_text(text);
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const int32_t known = slots_[slot] - 1;
    if (hashes_[static_cast<size_t>(known)] == hash && (*this)[known] == text) return known;
  }
  JINA_CHECK(hashes_.size() < INT32_MAX);
  hashes_.push_back(hash);
  bytes_ += text;
  offsets_.push_back(bytes_.size());
  slots_[slot] = static_cast<int32_t>(hashes_.size());
  return size() - 1;
}

}  // namespace jina
