#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/backends.h"
#include "gtest/gtest.h"
#include "support/tolerance.h"

// Naive operations in double, and tensors to try the real ones with.

namespace jina::test {

/// A repeatable stream of numbers in (-1, 1).
class Numbers {
 public:
  explicit Numbers(uint32_t seed) : state_(seed * 2654435761u + 1) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1;
  }

 private:
  uint64_t state_;
};

inline double element(const Tensor& tensor, int64_t row, int64_t column) {
  switch (tensor.dtype()) {
    case DType::kF32: return tensor.row<float>(row)[column];
    case DType::kF64: return tensor.row<double>(row)[column];
    case DType::kBF16: return to_float(tensor.row<BFloat16>(row)[column]);
    case DType::kF16: return to_float(tensor.row<Float16>(row)[column]);
    default: ADD_FAILURE() << "not a floating-point tensor"; return 0;
  }
}

/// A half-precision value near `value`: truncated, which is as good as any for a weight.
inline Float16 to_float16(float value) {
  if (std::abs(value) < 0x1p-14F) return {0};
  const auto bits = std::bit_cast<uint32_t>(value);
  return {static_cast<uint16_t>((bits >> 16 & 0x8000u) | ((bits >> 13 & 0x3FFFFu) - (112u << 10)))};
}

inline void set_element(const Tensor& tensor, int64_t row, int64_t column, double value) {
  const auto narrow = static_cast<float>(value);
  switch (tensor.dtype()) {
    case DType::kF32: tensor.row<float>(row)[column] = narrow; return;
    case DType::kF64: tensor.row<double>(row)[column] = value; return;
    case DType::kBF16: tensor.row<BFloat16>(row)[column] = to_bfloat16(narrow); return;
    case DType::kF16: tensor.row<Float16>(row)[column] = to_float16(narrow); return;
    default: ADD_FAILURE() << "not a floating-point tensor";
  }
}

/// Uniform in (-size, size); rows lie `padding` elements further apart than their width.
inline Tensor random_tensor(DType dtype, int64_t rows, int64_t columns, double size, uint32_t seed,
                            int64_t padding = 0) {
  const Tensor tensor = make_tensor(dtype, {rows, columns + padding}).columns(0, columns);
  Numbers numbers(seed);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) set_element(tensor, row, column, size * numbers.next());
  }
  return tensor;
}

/// A one-dimensional f32 tensor, uniform in middle ± size.
inline Tensor random_line(int64_t count, double middle, double size, uint32_t seed) {
  Tensor line = make_tensor(DType::kF32, {count});
  Numbers numbers(seed);
  for (float& value : line.span<float>()) value = static_cast<float>(middle + size * numbers.next());
  return line;
}

/// (rows, columns) in double.
struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values{};

  Matrix(int64_t r, int64_t c) : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}
  double& at(int64_t row, int64_t column) { return values[static_cast<size_t>(row * columns + column)]; }
  double at(int64_t row, int64_t column) const { return values[static_cast<size_t>(row * columns + column)]; }
};

/// As the backend sees an operand: f32 is rounded to bf16 where it computes in bf16.
inline double seen(double value, DType compute) {
  return compute == DType::kBF16 ? to_float(to_bfloat16(static_cast<float>(value))) : value;
}

inline Matrix matrix_of(const Tensor& tensor, DType compute = DType::kF32) {
  Matrix matrix(tensor.rows(), tensor.width());
  for (int64_t r = 0; r < matrix.rows; ++r) {
    for (int64_t c = 0; c < matrix.columns; ++c) matrix.at(r, c) = seen(element(tensor, r, c), compute);
  }
  return matrix;
}

inline double activate(double x, Activation activation) {
  if (activation == Activation::kGelu) return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
  if (activation == Activation::kRelu) return x > 0 ? x : 0;
  return x;
}

inline int32_t adapter_of(const AdapterUse* adapters, int64_t token) {
  if (adapters == nullptr) return kNoAdapter;
  for (int64_t row = 0; row < adapters->layout.rows(); ++row) {
    if (token < adapters->layout.begin(row) + adapters->layout.length(row)) {
      return adapters->rows.by_row[static_cast<size_t>(row)];
    }
  }
  return kNoAdapter;
}

/// x W^T + b + scale (x A^T) B^T, before any activation.
inline Matrix reference_linear(const LinearWeights& weights, const Matrix& x, DType compute,
                               const AdapterUse* adapters) {
  const Matrix w = matrix_of(weights.weight, compute);
  Matrix y(x.rows, w.rows);
  for (int64_t t = 0; t < x.rows; ++t) {
    for (int64_t o = 0; o < w.rows; ++o) {
      double sum = weights.bias ? weights.bias->data<float>()[o] : 0;
      for (int64_t i = 0; i < w.columns; ++i) sum += x.at(t, i) * w.at(o, i);
      y.at(t, o) = sum;
    }
    const int32_t adapter = adapter_of(adapters, t);
    if (adapter == kNoAdapter || weights.adapters.empty()) continue;
    const LowRank& lora = weights.adapters[static_cast<size_t>(adapter)];
    for (int64_t k = 0; k < lora.a.rows(); ++k) {
      double z = 0;
      for (int64_t i = 0; i < w.columns; ++i) z += x.at(t, i) * seen(element(lora.a, k, i), compute);
      for (int64_t o = 0; o < w.rows; ++o) y.at(t, o) += lora.scale * z * element(lora.b, o, k);
    }
  }
  return y;
}

/// Compares every element and reports the first that is off.
inline void expect_near(const Tensor& actual, const Matrix& expected, const Tolerance& tolerance,
                        const std::string& what) {
  ASSERT_EQ(actual.rows(), expected.rows) << what;
  ASSERT_EQ(actual.width(), expected.columns) << what;
  for (int64_t r = 0; r < expected.rows; ++r) {
    for (int64_t c = 0; c < expected.columns; ++c) {
      const double want = expected.at(r, c), got = element(actual, r, c);
      const double allowed = tolerance.absolute + tolerance.relative * std::abs(want);
      ASSERT_TRUE(std::abs(got - want) <= allowed)
          << what << ": (" << r << ", " << c << ") is " << got << ", expected " << want << ", off by "
          << std::abs(got - want) << ", allowed " << allowed;
    }
  }
}

/// Equality of every bit.
inline void expect_same(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  for (int64_t r = 0; r < a.rows(); ++r) {
    for (int64_t c = 0; c < a.width(); ++c)
      ASSERT_EQ(element(a, r, c), element(b, r, c)) << what << ": " << r << ", " << c;
  }
}

class OnCase : public testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override {
    if (!is_torch() && compute() == DType::kBF16 && !has_fast_bf16()) {
      GTEST_SKIP() << "bf16: not supported by this processor";
    }
    backend_ = make_backend(GetParam());
  }
  bool is_torch() const { return GetParam().device == Device::kTorch; }
  DType compute() const { return GetParam().compute; }
  Backend& backend() { return *backend_; }

  /// Of operations that work in f32 whatever the compute type; kF32 stands for f64 where that is the compute type.
  Tolerance tolerance(DType output = DType::kF32) const {
    return op_tolerance(GetParam().device, compute() == DType::kF64 ? DType::kF64 : output);
  }
  /// Of products in the compute type.
  Tolerance product_tolerance(DType output = DType::kF32) const {
    return tolerance(is_torch() && compute() == DType::kBF16 ? DType::kBF16 : output);
  }
  /// A row alone against the same row in a batch: the same bits from the engine's own kernels, which keep the order of
  /// each sum; near from libraries that choose it by the shape.
  void expect_alike(const Tensor& batched, const Tensor& alone, const std::string& what) const {
    if (is_torch()) {
      expect_near(batched, matrix_of(alone), product_tolerance(), what);
    } else {
      expect_same(batched, alone, what);
    }
  }

 private:
  std::unique_ptr<Backend> backend_;
};

/// For what the contract of Backend promises.
class OnEachBackend : public OnCase {};
/// For what only the engine's own kernels promise: whose memory a result takes, how much there is of it.
class OnCpuBackend : public OnCase {};

inline auto case_name() {
  return [](const testing::TestParamInfo<BackendCase>& info) { return name_of(info.param); };
}

}  // namespace jina::test
