#include "ops/torch/torch_tensor.h"

#include <ATen/Functions.h>

namespace jina {

namespace {

/// Keeps a torch tensor as the deleter of an owner: by its type a handle is told from one on other memory.
struct HoldsTorchTensor {
  at::Tensor tensor;
  void operator()(const void* /*data*/) const {}
};

const at::Tensor* torch_owner(const Tensor& tensor) {
  const auto* holder = std::get_deleter<HoldsTorchTensor>(tensor.owner());
  return holder == nullptr ? nullptr : &holder->tensor;
}

std::vector<int64_t> sizes_of(const Tensor& tensor) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < tensor.shape().rank(); ++i) sizes.push_back(tensor.size(i));
  return sizes;
}

/// Rows and columns of `base` that the handle shows, as a view that autograd knows.
at::Tensor view_of(const at::Tensor& base, const Tensor& tensor) {
  const auto skipped = (tensor.raw() - static_cast<const std::byte*>(base.data_ptr())) / size_of(tensor.dtype());
  const std::vector<int64_t> sizes = sizes_of(tensor);
  if (skipped == 0 && base.sizes() == at::IntArrayRef(sizes)) return base;
  if (sizes.size() == 2 && base.dim() == 2) {
    const int64_t row = skipped / base.stride(0), column = skipped % base.stride(0);
    return base.narrow(0, row, sizes[0]).narrow(1, column, sizes[1]);
  }
  JINA_CHECK(tensor.is_contiguous() && base.is_contiguous());
  return base.reshape({-1}).narrow(0, skipped, tensor.shape().elements()).reshape(sizes);
}

}  // namespace

DType dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return DType::kF32;
    case at::kDouble: return DType::kF64;
    case at::kHalf: return DType::kF16;
    case at::kBFloat16: return DType::kBF16;
    case at::kInt: return DType::kI32;
    case at::kLong: return DType::kI64;
    default: fail(ErrorKind::kUnsupported, {}, "no tensors of torch type {}", c10::toString(type));
  }
}

at::ScalarType scalar_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return at::kFloat;
    case DType::kF64: return at::kDouble;
    case DType::kF16: return at::kHalf;
    case DType::kBF16: return at::kBFloat16;
    case DType::kI32: return at::kInt;
    case DType::kI64: return at::kLong;
    case DType::kI8: return at::kChar;
    case DType::kU8: return at::kByte;
    case DType::kBool: return at::kBool;
  }
  return at::kFloat;
}

Tensor wrap(at::Tensor value) {
  const bool has_rows = value.dim() == 2 && value.stride(1) == 1 && value.stride(0) >= value.size(1);
  if (!value.is_contiguous() && !has_rows) {
    value = value.contiguous();
  }
  const DType dtype = dtype_of(value.scalar_type());
  const Shape shape(std::span(value.sizes().data(), value.sizes().size()));
  const int64_t stride = value.dim() == 2 ? value.stride(0) : 0;
  const int64_t elements = stride > 0 && shape[0] > 0 ? (shape[0] - 1) * stride + shape[1] : shape.elements();
  auto* data = static_cast<std::byte*>(value.data_ptr());
  std::shared_ptr<const void> owner(data, HoldsTorchTensor{std::move(value)});
  return Tensor(Storage{data, static_cast<size_t>(elements * size_of(dtype)), std::move(owner)}, dtype, shape, stride);
}

at::Tensor unwrap(const Tensor& tensor) {
  if (const at::Tensor* base = torch_owner(tensor)) return view_of(*base, tensor);
  std::vector<int64_t> strides(sizes_of(tensor).size(), 1);
  for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.size(static_cast<int>(i));
  if (!strides.empty()) strides.front() = tensor.row_stride();
  return at::from_blob(
      tensor.raw(), sizes_of(tensor), strides, [keep = tensor.owner()](void*) {},
      at::TensorOptions().dtype(scalar_type_of(tensor.dtype())));
}

at::Tensor side_by_side(const Tensor& first, const Tensor& second, const Tensor& third) {
  const at::Tensor* base = torch_owner(first);
  if (base == nullptr || !first.shares_memory_with(second) || !first.shares_memory_with(third)) return {};
  const int64_t width = first.width();
  if (base->dim() != 2 || base->size(0) != first.rows() || base->size(1) != 3 * width || base->numel() == 0) return {};
  const auto* data = static_cast<const std::byte*>(base->data_ptr());
  const int64_t bytes = width * size_of(first.dtype());
  const bool is_whole = first.raw() == data && second.raw() == data + bytes && third.raw() == data + 2 * bytes;
  return is_whole && second.shape() == first.shape() && third.shape() == first.shape() ? *base : at::Tensor();
}

bool is_wrapped(const Tensor& tensor) { return torch_owner(tensor) != nullptr; }

}  // namespace jina
