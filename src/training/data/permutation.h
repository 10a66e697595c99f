#pragma once

#include <cstdint>

namespace jina {

/// A permutation of [0, size) chosen by a key, without memory: entry i costs the same for every size. A Feistel network
/// of six rounds over the least power of four that holds `size` (Luby and Rackoff 1988), walked again until it lands
/// inside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t key);
  /// `i` in [0, size).
  uint64_t operator[](uint64_t i) const;
  uint64_t size() const { return size_; }

 private:
  uint64_t size_;
  uint64_t key_;
  uint32_t half_bits_;
};

}  // namespace jina
