#pragma once

#include "tensor/dtype.h"

namespace jina::test {

/// |actual - expected| <= absolute + relative * |expected|
struct Tolerance {
  double absolute;
  double relative;
};

enum class Device { kCpu, kTorch };

/// One operation against a double reference that sees the same operands (bf16: rounded the same way). Sums of the tests
/// are of order one; f32 accumulates a few thousand roundings of 6e-8, a bf16 result is rounded by up to 2^-9. libtorch
/// rounds the bias and each product to bf16, of which several make one result (base weights, both of an adapter, sums).
constexpr Tolerance op_tolerance(Device device, DType output) {
  if (output == DType::kF64) return {1e-12, 1e-12};
  if (output != DType::kBF16) return {4e-6, 4e-6};
  switch (device) {
    case Device::kCpu: return {4e-5, 1.0 / 256};
    case Device::kTorch: return {2e-2, 1.0 / 64};
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
