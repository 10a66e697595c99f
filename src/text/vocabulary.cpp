#include "text/vocabulary.h"

#include <bit>

namespace jina {

namespace {

constexpr int64_t kMostHoles = 1'000'000;  // ids without a token; more would be a broken file that asks for memory

}  // namespace

Vocabulary::Vocabulary(const Json& json) {
  const simdjson::dom::object object = json.as_object();
  size_t bytes = 0;
  int64_t largest = -1;
  size_t count = 0;
  for (const auto& [key, value] : object) {
    int64_t id = 0;
    if (value.get(id) != simdjson::SUCCESS || id < 0) json.reject("an object of non-negative integers");
    largest = std::max(largest, id);
    bytes += key.size();
    ++count;
  }
  if (largest >= static_cast<int64_t>(count) + kMostHoles || bytes > UINT32_MAX) {
    fail(json.document().kind(), json.document().where(), "'vocab': id {} is too large for {} tokens", largest, count);
  }
  arena_.reserve(bytes);
  entries_.resize(static_cast<size_t>(largest + 1));
  slots_.resize(std::bit_ceil(count * 2 + 1));
  mask_ = slots_.size() - 1;
  for (const auto& [key, value] : object) insert(key, static_cast<int32_t>(int64_t(value)));
}

void Vocabulary::insert(std::string_view token, int32_t id) {
  const uint64_t hash = extend_hash(kHashSeed, token);
  size_t slot = slot_of(hash);
  while (slots_[slot].id != kNone) {
    if (slots_[slot].tag == tag_of(hash) && this->token(slots_[slot].id) == token)
      break;  // a repeated key: the last wins
    slot = (slot + 1) & mask_;
  }
  if (slots_[slot].id == kNone) ++count_;
  slots_[slot] = {tag_of(hash), id};
  entries_[static_cast<size_t>(id)] = {static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(token.size())};
  arena_.append(token);
  longest_ = std::max(longest_, token.size());
}

int32_t Vocabulary::find_joined(uint64_t hash, std::string_view prefix, std::string_view rest) const {
  if (slots_.empty()) return kNone;
  const uint32_t tag = tag_of(hash);
  for (size_t slot = slot_of(hash); slots_[slot].id != kNone; slot = (slot + 1) & mask_) {
    if (slots_[slot].tag != tag) continue;
    const std::string_view found = token(slots_[slot].id);
    if (found.size() == prefix.size() + rest.size() && found.starts_with(prefix) && found.ends_with(rest)) {
      return slots_[slot].id;
    }
  }
  return kNone;
}

std::string_view Vocabulary::token(int32_t id) const {
  if (id < 0 || id >= size()) return {};
  const Entry& entry = entries_[static_cast<size_t>(id)];
  return std::string_view(arena_).substr(entry.begin, entry.length);
}

}  // namespace jina
