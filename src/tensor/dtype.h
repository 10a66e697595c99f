#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace jina {

enum class DType : uint8_t { kF32, kF64, kF16, kBF16, kI32, kI64, kI8, kU8, kBool };

constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF16:
    case DType::kBF16: return 2;
    case DType::kF64:
    case DType::kI64: return 8;
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: return 1;
  }
  return 0;
}

/// "f32", "f16", … as shown to people.
std::string_view to_string(DType dtype);

/// A bfloat16 value; arithmetic happens in float32.
struct BFloat16 {
  uint16_t bits;
};

/// An IEEE half-precision value; arithmetic happens in float32.
struct Float16 {
  uint16_t bits;
};

inline float to_float(float value) { return value; }
inline float to_float(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }
float to_float(Float16 value);

/// Round to nearest even, as hardware does; NaN stays NaN.
inline BFloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return {static_cast<uint16_t>(bits >> 16 | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16)};
}

}  // namespace jina
