#include "ops/torch/torch_backend.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/GradMode.h>

#include "ops/torch/torch_tensor.h"

namespace jina {

TorchBackend::TorchBackend(const TorchOptions& options) : options_(options) {
  if (options.device.is_cuda() && !at::hasCUDA()) {
    fail(ErrorKind::kUnsupported, "device", "cuda: expected a CUDA device and a libtorch with CUDA, found none");
  }
  if (options.device.is_cuda() && options.device.has_index() &&
      options.device.index() >= at::detail::getCUDAHooks().deviceCount()) {
    fail(ErrorKind::kUnsupported, "device", "{}: there are {} CUDA devices, counted from 0", options.device.str(),
         static_cast<int>(at::detail::getCUDAHooks().deviceCount()));
  }
  at::globalContext().setAllowTF32CuBLAS(false);
}

int TorchBackend::threads() const { return at::get_num_threads(); }

void TorchBackend::begin_pass(const DropoutKey& key) {
  dropout_key_ = key;
  dropouts_ = 0;
}

at::ScalarType TorchBackend::compute_type() const { return scalar_type_of(options_.compute); }

at::ScalarType TorchBackend::output_type(DType output) const {
  return output == DType::kF32 ? wide_type() : scalar_type_of(output);
}

at::Tensor TorchBackend::weight(const Tensor& tensor, at::ScalarType type) const {
  const at::Tensor value = unwrap(tensor);
  if (value.requires_grad() &&
      (value.scalar_type() != wide_type() || value.device().type() != options_.device.type())) {
    fail(ErrorKind::kInvalidInput, {}, "a weight that wants a gradient is {} on {}: expected {} on {}",
         c10::toString(value.scalar_type()), value.device().str(), c10::toString(wide_type()), options_.device.str());
  }
  return value.to(options_.device, type);
}

Tensor TorchBackend::to_host(const Tensor& x) {
  at::Tensor value = unwrap(x).detach().to(at::kCPU);
  if (value.scalar_type() == at::kDouble) value = value.to(at::kFloat);
  return wrap(value.contiguous());
}

GradScope::GradScope(bool is_training) : was_enabled_(c10::GradMode::is_enabled()) {
  c10::GradMode::set_enabled(was_enabled_ && is_training);
}

GradScope::~GradScope() { c10::GradMode::set_enabled(was_enabled_); }

}  // namespace jina
