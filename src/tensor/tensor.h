#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "tensor/dtype.h"

namespace jina {

/// Sizes of up to four dimensions, outermost first.
class Shape {
 public:
  static constexpr int kMaxRank = 4;
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const int64_t> sizes);

  int rank() const { return rank_; }
  int64_t operator[](int dimension) const { return sizes_[static_cast<size_t>(dimension)]; }
  int64_t elements() const;
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// "(768, 3072)"
std::string to_string(const Shape& shape);

/// Memory that tensors point into: a pooled buffer, a mapped file, or a backend's own. The deleter of `owner` gives it
/// back.
struct Storage {
  std::byte* data = nullptr;
  size_t bytes = 0;
  std::shared_ptr<const void> owner;
};

/// A cheap value handle on storage: copying shares the memory. Rows of a matrix may lie further apart than its width
/// (`row_stride`), everything else is contiguous.
///
///     Tensor hidden = pool.allocate(DType::kF32, {tokens, 768});   // (tokens, hidden)
///     float* row = hidden.row<float>(3);
class Tensor {
 public:
  Tensor() = default;
  /// `row_stride` 0: rows lie without a gap.
  Tensor(Storage storage, DType dtype, Shape shape, int64_t row_stride = 0);

  bool is_empty() const { return storage_.data == nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t size(int dimension) const { return shape_[dimension]; }
  int64_t rows() const { return shape_[0]; }
  /// Elements of one row: the product of all sizes but the first.
  int64_t width() const { return width_; }
  /// Elements from the start of one row to the start of the next.
  int64_t row_stride() const { return row_stride_; }
  bool is_contiguous() const { return row_stride_ == width_; }
  /// True when no other handle shares the memory, so that a backend may write the result in place.
  bool is_sole_owner() const { return storage_.owner.use_count() == 1; }
  /// Handles that share the memory, this one included.
  int64_t handles() const { return storage_.owner.use_count(); }
  /// What keeps the memory alive.
  const std::shared_ptr<const void>& owner() const { return storage_.owner; }
  bool shares_memory_with(const Tensor& other) const {
    return storage_.owner != nullptr && storage_.owner == other.storage_.owner;
  }
  size_t bytes() const { return static_cast<size_t>(shape_.elements() * size_of(dtype_)); }

  std::byte* raw() const { return storage_.data; }
  template <typename T>
  T* data() const {
    return reinterpret_cast<T*>(storage_.data);
  }
  template <typename T>
  T* row(int64_t index) const {
    return data<T>() + index * row_stride_;
  }
  /// Elements of a contiguous tensor.
  template <typename T>
  std::span<T> span() const {
    JINA_CHECK(is_contiguous());
    return {data<T>(), static_cast<size_t>(shape_.elements())};
  }

  /// Rows [begin, end), sharing memory.
  Tensor rows(int64_t begin, int64_t end) const;
  /// Columns [begin, end) of a matrix, sharing memory.
  Tensor columns(int64_t begin, int64_t end) const;
  /// The memory that each row leaves free behind its own elements, as a matrix of `width` columns, 64-byte aligned;
  /// empty unless this is the only handle on the memory and there is room. It shares the memory.
  Tensor free_columns(DType dtype, int64_t width) const;
  /// The same elements under another shape; needs a contiguous tensor.
  Tensor reshaped(Shape shape) const;

 private:
  Storage storage_;
  DType dtype_ = DType::kF32;
  Shape shape_;
  int64_t width_ = 0;
  int64_t row_stride_ = 0;
};

/// A contiguous tensor of its own, outside any pool, zeroed; for weights and small results.
Tensor make_tensor(DType dtype, Shape shape);
/// A float32 tensor holding a copy of `values`.
Tensor make_tensor(std::span<const float> values, Shape shape);
/// A contiguous float32 copy of a f32, f16 or bf16 tensor (the tensor itself when it is one already).
Tensor to_f32(const Tensor& tensor);

/// The transpose of a f32, f16 or bf16 matrix, as a f32 tensor of its own.
Tensor transposed(const Tensor& matrix);

/// A fresh tensor of the given floating-point tensors stacked along the first dimension, in their common dtype, or f32
/// when they differ.
Tensor stack_rows(std::span<const Tensor> parts);

}  // namespace jina
