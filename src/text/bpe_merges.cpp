#include "text/bpe_merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

namespace jina {

namespace {

constexpr uint64_t kEmpty = ~uint64_t{0};
constexpr int kRankBits = 22;
constexpr uint64_t kRankMask = (uint64_t{1} << kRankBits) - 1;

/// Up to here a scan over all pairs for each merge beats a heap.
constexpr size_t kShort = 128;
constexpr size_t kBlock = 16;

/// A pair's bit in the filter, taken modulo its size: of another hash than its home in the table.
uint64_t filter_bit(uint64_t key) { return key * 0xD6E8FEB86659FD93u >> 32; }

uint64_t key_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(left) << 21 | static_cast<uint64_t>(right);
}

}  // namespace

MergeTable::MergeTable(std::span<const Merge> merges) {
  slots_.assign(std::bit_ceil(std::max<size_t>(2, merges.size() + merges.size() / 2)), kEmpty);
  mask_ = slots_.size() - 1;
  shift_ = 64 - std::countr_zero(slots_.size());
  filter_.assign(std::max<size_t>(1, slots_.size() / 8), 0);
  filter_mask_ = filter_.size() - 1;
  merged_.reserve(merges.size());
  for (const Merge& merge : merges) {
    const uint64_t key = key_of(merge.left, merge.right);
    uint64_t slot = home(key);
    while (slots_[slot] != kEmpty && slots_[slot] >> kRankBits != key) slot = (slot + 1) & mask_;
    filter_[filter_bit(key) / 64 & filter_mask_] |= uint64_t{1} << filter_bit(key) % 64;
    slots_[slot] = key << kRankBits | merged_.size();
    merged_.push_back(merge.merged);
  }
}

uint32_t MergeTable::rank(int32_t left, int32_t right) const {
  const uint64_t key = key_of(left, right);
  if ((filter_[filter_bit(key) / 64 & filter_mask_] >> filter_bit(key) % 64 & 1) == 0) return kNoRank;
  for (uint64_t slot = home(key);; slot = (slot + 1) & mask_) {
    const uint64_t entry = slots_[slot];
    if (entry >> kRankBits == key) {
      const uint64_t found = entry & kRankMask;
      __builtin_prefetch(&merged_[found]);
      return static_cast<uint32_t>(found);
    }
    if (entry == kEmpty) return kNoRank;
  }
}

void MergeTable::merge(std::vector<ModelToken>& symbols, size_t first) const {
  const std::span<ModelToken> word = std::span(symbols).subspan(first);
  if (word.size() < 2) return;
  const size_t left = word.size() <= kShort ? merge_short(word) : merge_long(word);
  symbols.resize(first + left);
}

/// Both return how many symbols are left; they lie at the front.
size_t MergeTable::merge_short(std::span<ModelToken> symbols) const {
  // A pair as rank and position in one number, so that the smallest is the next to merge. Symbols that are gone keep
  // their place with no rank; `next` and `previous` jump over them.
  constexpr int kPositionBits = 8;
  constexpr int32_t kNone = int32_t{kNoRank} << kPositionBits;
  std::array<int32_t, kShort + kBlock> pairs;
  std::array<uint8_t, kShort + 1> next;
  std::array<uint8_t, kShort + 1> previous;
  const size_t count = symbols.size();
  const auto pair_at = [&](size_t i, size_t j) {
    return static_cast<int32_t>(rank(symbols[i].id, symbols[j].id) << kPositionBits | i);
  };
  const size_t padded = (count - 1 + kBlock - 1) / kBlock * kBlock;
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = pair_at(i, i + 1);
  for (size_t i = count - 1; i < padded; ++i) pairs[i] = kNone;
  for (size_t i = 0; i <= count; ++i) {
    next[i] = static_cast<uint8_t>(i + 1);
    previous[i] = static_cast<uint8_t>(i - 1);
  }
  while (true) {
    int32_t best = kNone;
    for (size_t block = 0; block < padded; block += kBlock) {
      for (size_t i = 0; i < kBlock; ++i) best = std::min(best, pairs[block + i]);
    }
    if (best >= kNone) break;
    const size_t at = best & ((1 << kPositionBits) - 1);
    const size_t gone = next[at];
    const size_t after = next[gone];
    symbols[at].id = merged_[best >> kPositionBits];
    symbols[at].end = symbols[gone].end;
    symbols[gone].begin = symbols[gone].end;  // tells the gone from the living
    if (gone < padded) pairs[gone] = kNone;
    next[at] = static_cast<uint8_t>(after);
    previous[after] = static_cast<uint8_t>(at);
    pairs[at] = after < count ? pair_at(at, after) : kNone;
    if (at > 0) pairs[previous[at]] = pair_at(previous[at], at);
  }
  const auto end = std::remove_if(symbols.begin(), symbols.end(), [](const ModelToken& s) { return s.begin == s.end; });
  return static_cast<size_t>(end - symbols.begin());
}

size_t MergeTable::merge_long(std::span<ModelToken> symbols) const {
  // A heap of (rank, position) as one number each. An entry is stale when its pair has changed since: the rank of the
  // pair that stands there now tells. Ranks of pairs are unique, and a pair that has changed never comes back.
  constexpr int kPositionBits = 64 - kRankBits;
  const auto count = static_cast<uint32_t>(symbols.size());
  std::vector<uint64_t> heap;
  heap.reserve(count);
  std::vector<uint32_t> next(count);
  std::vector<uint32_t> previous(count);
  const auto entry_of = [](uint32_t pair_rank, uint32_t position) {
    return static_cast<uint64_t>(pair_rank) << kPositionBits | position;
  };
  const auto push = [&](uint32_t i, uint32_t j) {
    const uint32_t pair_rank = rank(symbols[i].id, symbols[j].id);
    if (pair_rank == kNoRank) return;
    heap.push_back(entry_of(pair_rank, i));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (uint32_t i = 0; i < count; ++i) {
    next[i] = i + 1;
    previous[i] = i - 1;
    const uint32_t pair_rank = i + 1 < count ? rank(symbols[i].id, symbols[i + 1].id) : kNoRank;
    if (pair_rank != kNoRank) heap.push_back(entry_of(pair_rank, i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    const uint64_t best = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto at = static_cast<uint32_t>(best);
    const auto pair_rank = static_cast<uint32_t>(best >> kPositionBits);
    if (symbols[at].begin == symbols[at].end || next[at] == count) continue;
    const uint32_t gone = next[at];
    if (rank(symbols[at].id, symbols[gone].id) != pair_rank) continue;
    const uint32_t after = next[gone];
    symbols[at].id = merged_[pair_rank];
    symbols[at].end = symbols[gone].end;
    symbols[gone].begin = symbols[gone].end;
    next[at] = after;
    if (after < count) {
      previous[after] = at;
      push(at, after);
    }
    if (at > 0) push(previous[at], at);
  }
  const auto end = std::remove_if(symbols.begin(), symbols.end(), [](const ModelToken& s) { return s.begin == s.end; });
  return static_cast<size_t>(end - symbols.begin());
}

}  // namespace jina
