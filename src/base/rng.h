#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

namespace jina {

/// A bijection of 64 bits in which every input bit moves every output bit: the finaliser of SplitMix64 (Steele, Lea and
/// Flood 2014, "Fast splittable pseudorandom number generators", with Stafford's variant 13 of the constants).
constexpr uint64_t mix_bits(uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

/// Random numbers as a function of (seed, stream, position): no state, so any order of calls and any split over threads
/// gives the same numbers. Position i gives output i of SplitMix64 started from the key of (seed, stream).
///
///     const CounterRng rng(seed, "embeddings.weight");
///     for (uint64_t i = 0; i < n; ++i) x[i] = rng.normal(i);
class CounterRng {
 public:
  CounterRng(uint64_t seed, uint64_t stream) : key_(mix_bits(mix_bits(seed) + kStep * (stream + 1))) {}
  CounterRng(uint64_t seed, std::string_view stream) : CounterRng(seed, hash(stream)) {}

  uint64_t bits(uint64_t position) const { return mix_bits(key_ + kStep * (position + 1)); }
  /// In [0, 1), 53 bits.
  double uniform(uint64_t position) const { return static_cast<double>(bits(position) >> 11) * 0x1p-53; }
  /// Standard normal (Box and Muller 1958); takes the two halves of one output.
  double normal(uint64_t position) const {
    const uint64_t both = bits(position);
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(both >> 32) + 1.0) * 0x1p-32));
    return radius * std::cos(2.0 * std::numbers::pi * static_cast<double>(both & 0xFFFFFFFFu) * 0x1p-32);
  }
  /// Nearly normal and cheap: the sum of four 16-bit uniform numbers of one output, scaled to mean 0 and variance 1.
  /// Never beyond 3.47; fourth moment 2.7 where the normal has 3.
  float rough_normal(uint64_t position) const {
    constexpr float kScale = 1.7320508F / 65536.0F;  // the sum has variance 65536^2 / 3
    const uint64_t four = bits(position);
    const auto sum =
        static_cast<int32_t>((four & 0xFFFF) + (four >> 16 & 0xFFFF) + (four >> 32 & 0xFFFF) + (four >> 48));
    return static_cast<float>(sum - 131070) * kScale;
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio, odd

  /// FNV-1a.
  static constexpr uint64_t hash(std::string_view text) {
    uint64_t value = 0xCBF29CE484222325u;
    for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return value;
  }

  uint64_t key_;
};

}  // namespace jina
