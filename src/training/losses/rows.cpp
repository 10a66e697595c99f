#include "training/losses/rows.h"

#include <ATen/ATen.h>

namespace jina {

at::Tensor at_least_f32(const at::Tensor& values) {
  return values.scalar_type() == at::kDouble ? values : values.to(at::kFloat);
}

at::Tensor unit_rows(const at::Tensor& vectors) {
  constexpr double kZeroLength = 1e-12;
  const at::Tensor values = at_least_f32(vectors);
  const at::Tensor lengths = at::linalg_vector_norm(values, 2, {-1}, true);  // (..., 1)
  const at::Tensor is_zero = lengths <= kZeroLength;
  return (values / lengths.masked_fill(is_zero, 1)).masked_fill(is_zero, 0);
}

at::Tensor off_diagonal(const at::Tensor& matrix) {
  // Without its first element the flat matrix has the diagonal in every (n + 1)th place.
  const int64_t n = matrix.size(0);
  return matrix.flatten().narrow(0, 1, n * n - 1).reshape({n - 1, n + 1}).narrow(1, 0, n).reshape({n, n - 1});
}

at::Tensor row_divergence(const at::Tensor& target, const at::Tensor& actual) {
  const at::Tensor log_target = at::log_softmax(target, 1);  // (rows, columns)
  const at::Tensor log_actual = at::log_softmax(actual, 1);  // (rows, columns)
  return (log_target.exp() * (log_target - log_actual)).sum(1).mean();
}

}  // namespace jina
