#pragma once

#include <ATen/core/Tensor.h>

#include "tensor/tensor.h"

namespace jina {

/// A handle on a torch tensor of up to four dimensions, whose rows may lie further apart than their width. The autograd
/// graph goes with it; on CUDA the memory is the device's and not to be read here.
Tensor wrap(at::Tensor value);

/// The torch tensor behind a handle: the one that was wrapped, a differentiable view of it for a handle on some of its
/// rows or columns, or a view of plain host memory.
at::Tensor unwrap(const Tensor& tensor);

/// The torch tensor of which the three handles show all columns side by side, a third each; undefined when they do not.
at::Tensor side_by_side(const Tensor& first, const Tensor& second, const Tensor& third);

/// True when the handle came from wrap().
bool is_wrapped(const Tensor& tensor);

DType dtype_of(at::ScalarType type);
at::ScalarType scalar_type_of(DType dtype);

}  // namespace jina
