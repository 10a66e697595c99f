#pragma once

#include "tensor/dtype.h"

namespace jina::test {

/// |actual - expected| <= absolute + relative * |expected|
struct Tolerance {
  double absolute;
  double relative;
};

enum class Device { kCpu };

/// One operation against a double reference that sees the same operands (bf16: rounded the same way). Sums of the tests
/// are of order one; f32 accumulates a few thousand roundings of 6e-8, a bf16 result is rounded by up to 2^-9.
constexpr Tolerance op_tolerance(Device device, DType output) {
  switch (device) {
    case Device::kCpu: return output == DType::kBF16 ? Tolerance{4e-5, 1.0 / 256} : Tolerance{4e-6, 4e-6};
  }
  return {0, 0};
}

// Goldens of whole models, f32 (tests/golden/README.md): absolute.
constexpr double kHiddenTolerance = 1e-4;
constexpr double kLongHiddenTolerance = 5e-4;  // inputs above 600 tokens
constexpr double kEmbeddingTolerance = 1e-5;
constexpr double kMultiVectorTolerance = 5e-5;
constexpr double kVisionTolerance = 1e-4;
constexpr double kMaxSimTolerance = 1e-3;
/// bf16 embeddings against f32.
constexpr double kBf16Cosine = 0.9999;

}  // namespace jina::test
