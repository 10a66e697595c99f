#include "training/data/permutation.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

constexpr uint64_t kRounds = 6;
// With halves of one or two bits a network reaches few of the permutations; walking back into a small size is cheap.
constexpr uint32_t kFewestHalfBits = 4;

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t key)
    : size_(size),
      key_(mix_bits(key)),
      half_bits_(std::max(kFewestHalfBits, static_cast<uint32_t>(std::bit_width(size > 0 ? size - 1 : 0) + 1) / 2)) {}

uint64_t Permutation::operator[](uint64_t i) const {
  JINA_CHECK(i < size_);
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t value = i;
  do {
    uint64_t left = value >> half_bits_;
    uint64_t right = value & mask;
    for (uint64_t round = 1; round <= kRounds; ++round) {
      const uint64_t mixed = left ^ (mix_bits(key_ + (round << 56) + right) & mask);
      left = right;
      right = mixed;
    }
    value = left << half_bits_ | right;
  } while (value >= size_);
  return value;
}

}  // namespace jina
