#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include "tensor/buffer.h"

namespace jina {

std::string_view to_string(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kF64: return "f64";
    case DType::kF16: return "f16";
    case DType::kBF16: return "bf16";
    case DType::kI32: return "i32";
    case DType::kI64: return "i64";
    case DType::kI8: return "i8";
    case DType::kU8: return "u8";
    case DType::kBool: return "bool";
  }
  return "?";
}

float to_float(Float16 value) {
  const uint32_t sign = uint32_t{value.bits & 0x8000u} << 16;
  const uint32_t exponent = value.bits >> 10 & 0x1Fu;
  const uint32_t fraction = value.bits & 0x3FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  return sign != 0 ? -magnitude : magnitude;
}

Shape::Shape(std::span<const int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  JINA_CHECK(sizes.size() <= kMaxRank);
  std::ranges::copy(sizes, sizes_.begin());
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (int i = 0; i < rank_; ++i) product *= sizes_[static_cast<size_t>(i)];
  return product;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int i = 0; i < shape.rank(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + ")";
}

Tensor::Tensor(Storage storage, DType dtype, Shape shape, int64_t row_stride)
    : storage_(std::move(storage)), dtype_(dtype), shape_(shape) {
  width_ = 1;
  for (int i = 1; i < shape.rank(); ++i) width_ *= shape[i];
  row_stride_ = std::max(row_stride, width_);
  JINA_CHECK(storage_.bytes >= bytes());
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  JINA_CHECK(0 <= begin && begin <= end && end <= rows());
  Tensor part = *this;
  std::array<int64_t, Shape::kMaxRank> sizes{};
  for (int i = 0; i < shape_.rank(); ++i) sizes[static_cast<size_t>(i)] = i == 0 ? end - begin : shape_[i];
  part.shape_ = Shape(std::span<const int64_t>(sizes.data(), static_cast<size_t>(shape_.rank())));
  const auto skipped = static_cast<size_t>(begin * row_stride_ * size_of(dtype_));
  part.storage_.data += skipped;
  part.storage_.bytes -= skipped;
  return part;
}

Tensor Tensor::columns(int64_t begin, int64_t end) const {
  JINA_CHECK(shape_.rank() == 2 && 0 <= begin && begin <= end && end <= width_);
  Tensor part = *this;
  part.shape_ = Shape{rows(), end - begin};
  part.width_ = end - begin;
  const auto skipped = static_cast<size_t>(begin * size_of(dtype_));
  part.storage_.data += skipped;
  part.storage_.bytes -= skipped;
  return part;
}

Tensor Tensor::free_columns(DType dtype, int64_t width) const {
  constexpr int64_t kAlignment = 64;
  const int64_t stride = row_stride_ * size_of(dtype_), begin = width_ * size_of(dtype_);
  const int64_t end = begin + width * size_of(dtype);
  const bool is_aligned = (reinterpret_cast<int64_t>(raw()) + begin) % kAlignment == 0 && stride % kAlignment == 0;
  const bool has_room = end <= stride && (rows() - 1) * stride + end <= static_cast<int64_t>(storage_.bytes);
  if (!is_sole_owner() || !is_aligned || !has_room) return {};
  Tensor behind = *this;
  behind.storage_.data += begin;
  behind.storage_.bytes -= static_cast<size_t>(begin);
  behind.dtype_ = dtype;
  behind.shape_ = Shape{rows(), width};
  behind.width_ = width;
  behind.row_stride_ = stride / size_of(dtype);
  return behind;
}

Tensor Tensor::reshaped(Shape shape) const {
  JINA_CHECK(is_contiguous() && shape.elements() == shape_.elements());
  return Tensor(storage_, dtype_, shape);
}

Tensor make_tensor(DType dtype, Shape shape) {
  const auto bytes = static_cast<size_t>(shape.elements() * size_of(dtype));
  auto owner =
      std::shared_ptr<std::byte>(take_buffer(bytes), [bytes](std::byte* buffer) { give_back_buffer(buffer, bytes); });
  std::memset(owner.get(), 0, bytes);
  std::byte* data = owner.get();
  return Tensor(Storage{data, bytes, std::move(owner)}, dtype, shape);
}

Tensor make_tensor(std::span<const float> values, Shape shape) {
  Tensor tensor = make_tensor(DType::kF32, shape);
  JINA_CHECK(static_cast<int64_t>(values.size()) == shape.elements());
  std::ranges::copy(values, tensor.data<float>());
  return tensor;
}

namespace {

template <typename T>
void widen(const Tensor& from, const Tensor& to) {
  for (int64_t r = 0; r < from.rows(); ++r) {
    const T* source = from.row<T>(r);
    float* target = to.row<float>(r);
    for (int64_t i = 0; i < from.width(); ++i) target[i] = to_float(source[i]);
  }
}

}  // namespace

Tensor to_f32(const Tensor& tensor) {
  if (tensor.dtype() == DType::kF32 && tensor.is_contiguous()) return tensor;
  Tensor wide = make_tensor(DType::kF32, tensor.shape());
  switch (tensor.dtype()) {
    case DType::kF32: widen<float>(tensor, wide); return wide;
    case DType::kF16: widen<Float16>(tensor, wide); return wide;
    case DType::kBF16: widen<BFloat16>(tensor, wide); return wide;
    case DType::kF64:
    case DType::kI32:
    case DType::kI64:
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: break;
  }
  fail(ErrorKind::kModelFile, {}, "expected a floating-point tensor, found {}", to_string(tensor.dtype()));
}

Tensor transposed(const Tensor& matrix) {
  const Tensor wide = to_f32(matrix);
  Tensor result = make_tensor(DType::kF32, {wide.width(), wide.rows()});
  for (int64_t row = 0; row < wide.rows(); ++row) {
    for (int64_t column = 0; column < wide.width(); ++column) {
      result.row<float>(column)[row] = wide.row<float>(row)[column];
    }
  }
  return result;
}

Tensor stack_rows(std::span<const Tensor> parts) {
  JINA_CHECK(!parts.empty());
  const auto is_same = [&](const Tensor& part) { return part.dtype() == parts[0].dtype(); };
  const DType dtype = std::ranges::all_of(parts, is_same) ? parts[0].dtype() : DType::kF32;
  std::array<int64_t, Shape::kMaxRank> sizes{};
  const int rank = parts[0].shape().rank();
  JINA_CHECK(rank >= 1);
  for (int i = 1; i < rank; ++i) sizes[static_cast<size_t>(i)] = parts[0].size(i);
  for (const Tensor& part : parts) {
    JINA_CHECK(part.shape().rank() == rank && part.width() == parts[0].width());
    sizes[0] += part.rows();
  }
  Tensor stacked = make_tensor(dtype, Shape(std::span(sizes).first(static_cast<size_t>(rank))));
  const int64_t row_bytes = stacked.width() * size_of(dtype);
  std::byte* target = stacked.raw();
  for (const Tensor& part : parts) {
    const Tensor source = part.dtype() == dtype ? part : to_f32(part);
    for (int64_t r = 0; r < source.rows(); ++r) {
      const std::byte* row = source.raw() + r * source.row_stride() * size_of(dtype);
      target = std::copy_n(row, row_bytes, target);
    }
  }
  return stacked;
}

}  // namespace jina
