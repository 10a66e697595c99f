#include "text/token_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace jina {

namespace {

constexpr size_t kBlock = 64;

template <typename Word>
uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

uint64_t mix(uint64_t value) {
  value *= 0x9E3779B97F4A7C15u;
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93u;
  return value ^ value >> 29;
}

}  // namespace

uint64_t TokenTable::hash(std::string_view text) {
  const char* data = text.data();
  const size_t size = text.size();
  if (size < 4) {
    if (size == 0) return mix(1);
    const auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(data[i])); };
    return mix(byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16 | static_cast<uint64_t>(size) << 24);
  }
  // Overlapping words cover short texts without a loop over bytes.
  if (size <= 8) return mix((load<uint32_t>(data) | load<uint32_t>(data + size - 4) << 32) + size);
  uint64_t state = size;
  for (size_t i = 0; i + 8 < size; i += 8) state = mix(state ^ load<uint64_t>(data + i));
  return mix(state ^ load<uint64_t>(data + size - 8));
}

TokenTable::TokenTable(std::span<const std::string_view> text_of_id) {
  size_t count = 0;
  size_t bytes = 0;
  for (const std::string_view text : text_of_id) {
    count += text.data() != nullptr;
    bytes += text.size();
    longest_ = std::max(longest_, text.size());
  }
  arena_.reserve(bytes);
  begins_.reserve(text_of_id.size() + 1);
  slots_.resize(std::bit_ceil(count + count / 2 + 1));
  mask_ = slots_.size() - 1;
  for (const std::string_view text : text_of_id) {
    begins_.push_back(static_cast<uint32_t>(arena_.size()));
    arena_.append(text);
  }
  begins_.push_back(static_cast<uint32_t>(arena_.size()));
  std::array<uint64_t, kBlock> hashes{};
  for (size_t block = 0; block < text_of_id.size(); block += kBlock) {
    const size_t end = std::min(block + kBlock, text_of_id.size());
    for (size_t id = block; id < end; ++id) {
      hashes[id - block] = hash(text_of_id[id]);
      __builtin_prefetch(&slots_[hashes[id - block] & mask_]);
    }
    for (size_t id = block; id < end; ++id) {
      if (text_of_id[id].data() != nullptr) insert(static_cast<int32_t>(id), hashes[id - block]);
    }
  }
}

void TokenTable::insert(int32_t id, uint64_t hash) {
  uint64_t slot = hash & mask_;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask_) {
    if (slots_[slot] >> 32 != hash >> 32) continue;
    if (text(static_cast<int32_t>(slots_[slot] & 0xFFFFFFFFu) - 1) != text(id)) continue;
    duplicate_ = id;
    return;
  }
  slots_[slot] = (hash >> 32 << 32) | static_cast<uint64_t>(id + 1);
}

void TokenTable::find_all(std::span<const std::string_view> texts, std::span<int32_t> ids) const {
  // Each step of a search waits for memory; a block of them waits together.
  std::array<uint64_t, kBlock> hashes{};
  for (size_t block = 0; block < texts.size(); block += kBlock) {
    const size_t end = std::min(block + kBlock, texts.size());
    for (size_t i = block; i < end; ++i) {
      hashes[i - block] = hash(texts[i]);
      __builtin_prefetch(&slots_[hashes[i - block] & mask_]);
    }
    for (size_t i = block; i < end; ++i) __builtin_prefetch(&begins_[slots_[hashes[i - block] & mask_] & 0xFFFFFFFFu]);
    for (size_t i = block; i < end; ++i) {
      ids[i] = texts[i].size() > longest_ ? kAbsent : find_hashed(texts[i], hashes[i - block]);
    }
  }
}

int32_t TokenTable::find_hashed(std::string_view text, uint64_t hash) const {
  for (uint64_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
    const uint64_t entry = slots_[slot];
    if (entry == 0) return kAbsent;
    if (entry >> 32 != hash >> 32) continue;
    const auto id = static_cast<int32_t>(entry & 0xFFFFFFFFu) - 1;
    if (this->text(id) == text) return id;
  }
}

}  // namespace jina
