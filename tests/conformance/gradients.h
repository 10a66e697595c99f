#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "conformance/reference.h"
#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_tensor.h"

// Gradients against central differences, in float64.

namespace jina::test {

/// A float64 leaf that wants a gradient, uniform in (-size, size).
inline at::Tensor leaf(at::IntArrayRef sizes, uint32_t seed, double size = 1) {
  at::Tensor tensor = at::empty(sizes, at::kDouble);
  Numbers numbers(seed);
  for (int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = size * numbers.next();
  return tensor.set_requires_grad(true);
}

/// One number from all of `y`, each value with a weight of its own.
inline at::Tensor weigh(const at::Tensor& y) {
  at::Tensor weights = at::empty(y.sizes(), at::kDouble);
  Numbers numbers(99);
  for (int64_t i = 0; i < weights.numel(); ++i) weights.data_ptr<double>()[i] = numbers.next();
  return (y.to(at::kDouble) * weights).sum();
}

using Values = std::vector<at::Tensor>;

/// What `run` makes of the leaves, weighed; it makes everything anew in each call.
using Computation = std::function<at::Tensor(const Values& leaves)>;

/// Gradients of weigh(run(leaves)).
inline Values gradients_of(const Computation& run, const Values& leaves) {
  for (const at::Tensor& one : leaves) one.mutable_grad() = at::Tensor();
  weigh(run(leaves)).backward();
  Values gradients;
  for (const at::Tensor& one : leaves) {
    gradients.push_back(one.grad().defined() ? one.grad().clone() : at::zeros_like(one));
  }
  return gradients;
}

/// Every value of every leaf in turn, moved by h to both sides. The error of the difference is of order h^2 and
/// 1e-16 / h: 1e-10 each.
inline void expect_gradients(const Computation& run, const Values& leaves, const std::string& what) {
  constexpr double kStep = 1e-5, kTolerance = 2e-8;
  const Values gradients = gradients_of(run, leaves);
  const c10::AutoGradMode disabled(false);
  for (size_t which = 0; which < leaves.size(); ++which) {
    const at::Tensor flat = leaves[which].detach().view(-1), gradient = gradients[which].contiguous().view(-1);
    for (int64_t i = 0; i < flat.numel(); ++i) {
      double& value = flat.data_ptr<double>()[i];
      const double before = value;
      value = before + kStep;
      const double above = weigh(run(leaves)).item<double>();
      value = before - kStep;
      const double below = weigh(run(leaves)).item<double>();
      value = before;
      const double expected = (above - below) / (2 * kStep), actual = gradient.data_ptr<double>()[i];
      ASSERT_TRUE(std::abs(actual - expected) <= kTolerance * (1 + std::abs(expected)))
          << what << ": leaf " << which << ", value " << i << ": " << actual << ", expected " << expected;
    }
  }
}

/// Equality of two sets of gradients up to rounding.
inline void expect_close(const Values& a, const Values& b, double tolerance, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].sizes(), b[i].sizes()) << what;
    const double most = a[i].numel() == 0 ? 0 : (a[i] - b[i]).abs().max().item<double>();
    EXPECT_LE(most, tolerance) << what << ": " << i;
  }
}

/// A training backend in float64; one thread, since the tensors are tiny.
inline TorchBackend training_backend(double dropout = 0, bool is_checkpointing = false) {
  at::set_num_threads(1);
  return TorchBackend(
      {.compute = DType::kF64, .is_training = true, .dropout = dropout, .is_checkpointing = is_checkpointing});
}

inline PackedLayout layout_of(const std::vector<int64_t>& lengths) {
  PackedLayout layout;
  for (const int64_t length : lengths) layout.append(length);
  return layout;
}

}  // namespace jina::test
