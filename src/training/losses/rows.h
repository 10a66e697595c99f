#pragma once

#include <ATen/core/Tensor.h>

// What several losses do with rows of vectors and scores. Everything here can be differentiated.

namespace jina {

/// The values in f64 when they are f64, else in f32.
at::Tensor at_least_f32(const at::Tensor& values);

/// Vectors of the last dimension at unit length, in at least f32. A zero vector stays zero and gets no gradient, where
/// dividing by a small floor would give it an enormous one.
at::Tensor unit_rows(const at::Tensor& vectors);

/// A square matrix without its diagonal. (n, n) → (n, n - 1)
at::Tensor off_diagonal(const at::Tensor& matrix);

/// Mean over rows of KL(softmax(target) || softmax(actual)). Both (rows, columns)
at::Tensor row_divergence(const at::Tensor& target, const at::Tensor& actual);

}  // namespace jina
