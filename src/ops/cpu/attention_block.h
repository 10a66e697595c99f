#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/cpu/attention_kernels.h"
#include "ops/cpu/attention_power.h"

// Flash attention of one head (Dao et al. 2022, algorithm 1, with queries along the vector lanes), written over a few
// vector operations that the including file defines for its instruction set: V, kLanes, kTileRows, fma, max, broadcast,
// load, store, all_less, add_exponent, opaque, transpose_queries, and over its element type: Element, kPair, kKeyBlock,
// rotate_row, pack_value_rows, square_sum, add_squares, weigh, score_tile, value_tile, write_results.
// All in an anonymous namespace and without library calls, so that no other file can be linked to code compiled with
// the flags of this one.
//
// Queries lie along lanes: scores are kept transposed, (key, query). Maxima, exponentials and sums are then plain
// vertical operations, keys and values need no transposition, and short rows waste at most 15 lanes.

namespace jina {
namespace {

constexpr int64_t round_up(int64_t x, int64_t step) { return (x + step - 1) / step * step; }

constexpr int kMaxVectors = 3;
constexpr int64_t kMaxLanes = kMaxVectors * kLanes;  // queries of a block
constexpr float kLog2E = 1.44269504F;
constexpr float kNone = -1e38F;  // maximum before any key
alignas(64) constexpr float kLaneNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

constexpr int64_t kSecondLevel = 512 << 10;  // bytes of packed keys and values that stay in that cache

/// A key block is skipped when its weights cannot sum to e^-45 of the softmax denominator; see is_negligible.
constexpr float kSkipBelow = 45.0F;
/// Above 1 by more than the rounding of scores and norms.
constexpr float kNormSlack = 1.001F;

/// Where the parts of a packed head lie: keys row by row, values row by row (bf16: two tokens interleaved), and the
/// largest norm of each block of keys.
struct PackedHead {
  int64_t key_row, value_row;  // dwords
  char *keys, *values;
  float* norms;
  int64_t bytes;

  PackedHead(void* base, int64_t tokens, int64_t dim)
      : key_row(round_up(dim, kPair) / kPair), value_row(round_up(dim, kTileRows)) {
    const int64_t key_bytes = round_up(4 * key_row * round_up(tokens, kTileRows), 64);
    const int64_t value_bytes = round_up(4 * value_row * (round_up(tokens, kPair) / kPair), 64);
    const auto address = reinterpret_cast<intptr_t>(base);  // null when only the size is asked for
    keys = static_cast<char*>(base);
    values = reinterpret_cast<char*>(address + key_bytes);
    norms = reinterpret_cast<float*>(address + key_bytes + value_bytes);
    bytes = key_bytes + value_bytes + round_up(4 * (round_up(tokens, kKeyBlock) / kKeyBlock), 64);
  }
  Element* key(int64_t token) const { return reinterpret_cast<Element*>(keys + 4 * key_row * token); }
};

/// What a worker needs beside the packed head.
struct Scratch {
  float *queries, *scores, *results, *maxima, *offsets, *rescale, *sums, *bias, *reach;
  Element* rows;
  int64_t bytes;

  Scratch(void* base, int64_t dim) {
    const int64_t dwords = round_up(dim, kPair) / kPair;
    const auto address = reinterpret_cast<intptr_t>(base);  // null when only the size is asked for
    bytes = 0;
    const auto take = [&](int64_t count) {
      const intptr_t here = address + bytes;
      bytes += round_up(4 * count, 64);
      return reinterpret_cast<float*>(here);
    };
    queries = take(dwords * kMaxLanes);                           // (dword of dim, query)
    scores = take(kKeyBlock * kMaxLanes);                         // (key, query)
    results = take(round_up(dim, kTileRows) * kMaxLanes);         // (dim, query)
    maxima = take(kMaxLanes);                                     // of the scores so far, unscaled
    offsets = take(kMaxLanes);                                    // maxima times scale and log2 e
    rescale = take(kMaxLanes);                                    // factors of the earlier results
    sums = take(kMaxLanes);                                       // denominators
    bias = take(kKeyBlock + kMaxLanes);                           // by distance, see fill_bias
    reach = take(kMaxLanes);                                      // |q|
    rows = reinterpret_cast<Element*>(take(kMaxLanes * dwords));  // queries, rotated
  }
};

/// One token of queries or keys, rotated where there are tables and padded with zeros to whole dwords.
inline void copy_row(const AttentionHead& head, const Element* from, int64_t position, Element* to) {
  if (head.cosines != nullptr) {
    const int64_t half = head.dim / 2;
    rotate_row(from, half, head.cosines + position * half, head.sines + position * half, to);
  } else {
    __builtin_memcpy(to, from, static_cast<size_t>(head.dim) * sizeof(Element));
  }
  if (head.dim % kPair != 0) to[head.dim] = Element{};
}

void pack(const AttentionHead& head, int64_t begin, int64_t end) {
  const PackedHead packed(head.packed, head.tokens, head.dim);
  const auto* key = static_cast<const Element*>(head.key);
  const auto* value = static_cast<const Element*>(head.value);
  for (int64_t token = begin; token < end; ++token) {
    copy_row(head, key + token * head.key_stride, token, packed.key(token));
  }
  if (end == head.tokens) {
    // The last tile of keys is filled with copies of the last key: they cannot raise a maximum, and get no weight.
    const auto bytes = static_cast<size_t>(4 * packed.key_row);
    for (int64_t token = end; token < round_up(end, kTileRows); ++token) {
      __builtin_memcpy(packed.key(token), packed.key(end - 1), bytes);
    }
  }
  for (int64_t token = begin; token < end; token += kPair) {
    const Element* second = token + 1 < end ? value + (token + 1) * head.value_stride : nullptr;
    pack_value_rows(value + token * head.value_stride, second, head.dim, packed.value_row,
                    packed.values + 4 * packed.value_row * (token / kPair));
  }
  if (head.slope == 0) return;
  for (int64_t block = begin; block < end; block += kKeyBlock) {
    float most = 0;
    for (int64_t token = block; token < end && token < block + kKeyBlock; ++token) {
      const float square = square_sum(packed.key(token), head.dim);
      if (most == most && !(square <= most)) most = square;  // NaN is kept, and never skipped
    }
    packed.norms[block / kKeyBlock] = __builtin_sqrtf(most);
  }
}

/// One block of queries on its way through the keys.
template <int kVectors>
class Block {
 public:
  Block(const AttentionHead& head, int64_t begin, void* scratch)
      : head_(head),
        begin_(begin),
        rows_(head.tokens - begin),
        packed_(head.packed, head.tokens, head.dim),
        s_(scratch, head.dim) {
    if (rows_ > kQueries) rows_ = kQueries;
    load_queries();
    for (int64_t i = 0; i < kQueries; i += kLanes) {
      store(s_.maxima + i, broadcast(kNone));
      store(s_.offsets + i, broadcast(kNone));
      store(s_.sums + i, broadcast(0));
    }
    const V zero = broadcast(0);
    for (int64_t i = 0; i < packed_.value_row * kQueries; i += kLanes) store(s_.results + i, zero);
  }

  void attend() {
    const int64_t blocks = round_up(head_.tokens, kKeyBlock) / kKeyBlock;
    if (head_.slope == 0) {
      for (int64_t block = 0; block < blocks; ++block) attend_block(block);
    } else {
      // From near to far, so that the running maxima let far blocks be skipped.
      const int64_t middle = begin_ / kKeyBlock;
      for (int64_t distance = 0; distance < blocks; ++distance) {
        if (middle + distance < blocks) attend_unless_negligible(middle + distance);
        if (distance > 0 && middle - distance >= 0) attend_unless_negligible(middle - distance);
      }
    }
    for (int64_t i = 0; i < kQueries; i += kLanes) store(s_.sums + i, broadcast(1) / load(s_.sums + i));
    auto* out = static_cast<Element*>(head_.out) + begin_ * head_.out_stride;
    write_results(s_.results, s_.sums, kQueries, rows_, head_.dim, out, head_.out_stride);
  }

 private:
  static constexpr int64_t kQueries = kVectors * kLanes;

  void load_queries() {
    const auto* from = static_cast<const Element*>(head_.query) + begin_ * head_.query_stride;
    int64_t stride = head_.query_stride * static_cast<int64_t>(sizeof(Element));
    if (head_.cosines != nullptr || head_.dim % kPair != 0) {
      for (int64_t i = 0; i < rows_; ++i) {
        copy_row(head_, from + i * head_.query_stride, begin_ + i, s_.rows + i * packed_.key_row * kPair);
      }
      from = s_.rows;
      stride = 4 * packed_.key_row;
    }
    transpose_queries(from, stride, rows_, packed_.key_row, s_.queries, kQueries);
    if (head_.slope == 0) return;
    for (int64_t i = 0; i < kQueries; i += kLanes) {
      V sum = broadcast(0);
      for (int64_t d = 0; d < packed_.key_row; ++d) sum = add_squares(sum, load(s_.queries + d * kQueries + i));
      store(s_.reach + i, sum);
    }
    for (int64_t i = 0; i < kQueries; ++i) s_.reach[i] = __builtin_sqrtf(s_.reach[i]);
  }

  /// True when the weights of a block of keys, all of them together with every other block skipped, sum to less than
  /// e^-45 of each query's denominator: far below f32 rounding of any weighted mean of the values. The scores of the
  /// block are bounded by Cauchy-Schwarz, so that keys of large norm are never lost, however far.
  bool is_negligible(int64_t block) const {
    const int64_t key = block * kKeyBlock;
    int64_t last = key + kKeyBlock - 1;
    if (last >= head_.tokens) last = head_.tokens - 1;
    const int64_t before = begin_ - last, after = key - (begin_ + rows_ - 1);
    const int64_t distance = before > after ? before : after;  // of the nearest pair
    if (distance <= 0) return false;
    // ln n <= bits(n) ln 2: every key may weigh as much as the bound.
    const auto bits = static_cast<float>(64 - __builtin_clzll(static_cast<unsigned long long>(head_.tokens)));
    const float margin = (kSkipBelow + 0.6932F * bits - head_.slope * static_cast<float>(distance)) / head_.scale;
    const V norm = broadcast(packed_.norms[block] * kNormSlack);
    for (int64_t i = 0; i < kQueries; i += kLanes) {
      if (!all_less(fma(load(s_.reach + i), norm, broadcast(margin)), load(s_.maxima + i))) return false;
    }
    return true;
  }

  void attend_unless_negligible(int64_t block) {
    if (is_negligible(block)) return;
    fill_bias(begin_ - block * kKeyBlock);
    attend_block(block);
  }

  /// bias[kKeyBlock - 1 + i - j] = -slope / scale * |offset + i - j| for query i and key j of their blocks: a tile of
  /// scores begins as unaligned loads from this short table instead of zeros.
  void fill_bias(int64_t offset) {
    const V factor = broadcast(-head_.slope / head_.scale);
    V distance = load(kLaneNumbers) + broadcast(static_cast<float>(offset - (kKeyBlock - 1)));
    for (int64_t i = 0; i < kKeyBlock + kQueries; i += kLanes, distance = distance + broadcast(kLanes)) {
      store(s_.bias + i, factor * max(distance, broadcast(0) - distance));
    }
  }

  /// Asks for a tile of tokens of the head after this one: its rows lie too far apart for the processor to foresee.
  /// Inlined by force, as GCC drops calls of a function of prefetches alone.
  [[gnu::always_inline]] void prefetch(int64_t token) const {
    constexpr auto kSize = static_cast<int64_t>(sizeof(Element));
    const auto ask = [&](const void* part, int64_t stride) __attribute__((always_inline)) {
      const char* const rows = static_cast<const char*>(part) + token * stride * kSize + head_.ahead;
      for (int64_t i = 0; i < kTileRows; ++i)
        for (int64_t b = 0; b < head_.dim * kSize; b += 64) __builtin_prefetch(rows + i * stride * kSize + b, 0, 2);
    };
    ask(head_.query, head_.query_stride);
    ask(head_.key, head_.key_stride);
    ask(head_.value, head_.value_stride);
  }

  /// Asks for a tile of packed keys and values that will be needed soon, where they do not stay in the second-level
  /// cache.
  [[gnu::always_inline]] void prefetch_packed(int64_t token) const {
    const char* const key = packed_.keys + 4 * packed_.key_row * token;
    const char* const value = packed_.values + 4 * packed_.value_row * (token / kPair);
    for (int64_t b = 0; b < 4 * packed_.key_row * kTileRows; b += 64) __builtin_prefetch(key + b, 0, 2);
    for (int64_t b = 0; b < 4 * packed_.value_row * kTileRows / kPair; b += 64) __builtin_prefetch(value + b, 0, 2);
  }

  void attend_block(int64_t block) {
    const int64_t begin = block * kKeyBlock;
    const int64_t keys = head_.tokens - begin < kKeyBlock ? head_.tokens - begin : kKeyBlock;
    const AttentionTile keys_by_queries{nullptr, s_.queries, 4 * packed_.key_row, 4, packed_.key_row};
    for (int64_t key = 0; key < keys; key += kTileRows) {
      AttentionTile tile = keys_by_queries;
      tile.a = packed_.key(begin + key);
      const float* bias = head_.slope == 0 ? nullptr : s_.bias + kKeyBlock - 1 - key;
      score_tile<kVectors>(tile, bias, s_.maxima, s_.scores + key * kQueries);
      if (begin_ == 0 && head_.ahead != 0) prefetch(begin + key);
      if (packed_.bytes > kSecondLevel) prefetch_packed(begin + kKeyBlock + key);
    }
    const float factor = head_.scale * kLog2E;
    for (int64_t i = 0; i < kQueries; i += kLanes) {
      // Weights are 2^(factor * score - offset): every use of an offset must see the same rounded product.
      const V offset = opaque(broadcast(factor) * load(s_.maxima + i));
      V shrink[1] = {load(s_.offsets + i) - offset};
      raise_to_power<5>(shrink);
      store(s_.offsets + i, offset);
      store(s_.rescale + i, shrink[0]);
      store(s_.sums + i, load(s_.sums + i) * shrink[0]);
    }
    weigh<kVectors>(s_.scores, keys, factor, s_.offsets, s_.sums);
    AttentionTile values_by_weights{nullptr, s_.scores, 4, 4 * packed_.value_row, round_up(keys, kPair) / kPair};
    for (int64_t d = 0; d < packed_.value_row; d += kTileRows) {
      values_by_weights.a = packed_.values + 4 * (packed_.value_row * (begin / kPair) + d);
      value_tile<kVectors>(values_by_weights, s_.rescale, s_.results + d * kQueries);
    }
  }

  const AttentionHead& head_;
  int64_t begin_, rows_;
  PackedHead packed_;
  Scratch s_;
};

void attend(const AttentionHead& head, int64_t begin, void* scratch) {
  const int64_t rows = head.tokens - begin;
  if (rows > 2 * kLanes) return Block<3>(head, begin, scratch).attend();
  if (rows > kLanes) return Block<2>(head, begin, scratch).attend();
  return Block<1>(head, begin, scratch).attend();
}

int64_t packed_bytes(int64_t tokens, int64_t dim) { return PackedHead(nullptr, tokens, dim).bytes; }
int64_t scratch_bytes(int64_t dim) { return Scratch(nullptr, dim).bytes; }

}  // namespace
}  // namespace jina
