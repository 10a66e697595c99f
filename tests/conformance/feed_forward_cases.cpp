#include "conformance/reference.h"

namespace jina::test {
namespace {

struct FeedForwardShape {
  int64_t tokens;
  int64_t hidden;
  int64_t inner;
};

constexpr FeedForwardShape kShapes[] = {{1, 48, 64}, {17, 64, 160}, {130, 96, 384}, {9, 33, 47}, {16, 384, 1024}};

LinearWeights random_linear(int64_t in, int64_t out, uint32_t seed) {
  const double size = 2 / std::sqrt(static_cast<double>(in));
  return {.weight = random_tensor(DType::kBF16, out, in, size, seed),
          .bias = random_line(out, 0, 0.5, seed + 1),
          .adapters = {}};
}

FeedForwardWeights random_weights(const FeedForwardShape& shape, Gate gate) {
  const int64_t wide = gate == Gate::kNone ? shape.inner : 2 * shape.inner;
  return {.up = random_linear(shape.hidden, wide, 11),
          .down = random_linear(shape.inner, shape.hidden, 21),
          .gate = gate,
          .activation = Activation::kGelu};
}

Matrix reference(const FeedForwardWeights& weights, const Tensor& x, DType compute, const AdapterUse* adapters) {
  const Matrix wide = reference_linear(weights.up, matrix_of(x, compute), compute, adapters);
  Matrix inner(wide.rows, weights.down.weight.width());
  for (int64_t t = 0; t < inner.rows; ++t) {
    for (int64_t i = 0; i < inner.columns; ++i) {
      double value = 0;
      switch (weights.gate) {
        case Gate::kNone: value = activate(wide.at(t, i), weights.activation); break;
        case Gate::kGateFirst:
          value = activate(wide.at(t, i), weights.activation) * wide.at(t, inner.columns + i);
          break;
        case Gate::kGateSecond:
          value = wide.at(t, i) * activate(wide.at(t, inner.columns + i), weights.activation);
          break;
      }
      inner.at(t, i) = seen(value, compute);
    }
  }
  return reference_linear(weights.down, inner, compute, adapters);
}

class FeedForward : public OnEachBackend {
 protected:
  /// The inner activations are rounded to bf16 from sums that differ in the last bits of f32: now and then to the other
  /// neighbour, which is 2^-8 of one of `inner` terms of order 1 / sqrt(inner). libtorch rounds the wide ones too, and
  /// a product of two adapters passes four products.
  Tolerance inner_tolerance(int64_t inner) const {
    Tolerance allowed = product_tolerance();
    if (compute() == DType::kBF16) allowed.absolute += 4.0 / 256 / std::sqrt(static_cast<double>(inner));
    if (compute() == DType::kBF16 && is_torch()) allowed.absolute *= 2;
    return allowed;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, FeedForward, testing::ValuesIn(all_backends()), case_name());

class FeedForwardMemory : public OnCpuBackend {};
INSTANTIATE_TEST_SUITE_P(Cpu, FeedForwardMemory, testing::ValuesIn(cpu_backends()), case_name());

TEST_P(FeedForward, equals_the_double_reference_for_all_shapes_and_gates) {
  for (const FeedForwardShape& shape : kShapes) {
    for (const Gate gate : {Gate::kNone, Gate::kGateFirst, Gate::kGateSecond}) {
      const FeedForwardWeights weights = random_weights(shape, gate);
      const Tensor x = random_tensor(DType::kF32, shape.tokens, shape.hidden, 1, 3, 2);
      const Tensor y = backend().feed_forward(*backend().prepare(weights), x, nullptr);
      expect_near(y, reference(weights, x, compute(), nullptr), inner_tolerance(shape.inner),
                  fmt::format("{} x {} x {}", shape.tokens, shape.hidden, shape.inner));
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(FeedForward, with_relu_and_without_biases) {
  FeedForwardWeights weights = random_weights({20, 64, 96}, Gate::kGateFirst);
  weights.activation = Activation::kRelu;
  weights.up.bias.reset();
  weights.down.bias.reset();
  const Tensor x = random_tensor(DType::kF32, 20, 64, 1, 3);
  const Tensor y = backend().feed_forward(*backend().prepare(weights), x, nullptr);
  expect_near(y, reference(weights, x, compute(), nullptr), inner_tolerance(96), "ReGLU");
}

TEST_P(FeedForward, adds_adapters_of_both_layers_to_their_rows_across_tiles) {
  const FeedForwardShape shape{1100, 32, 48};  // more tokens than one tile of inner activations
  for (const Gate gate : {Gate::kNone, Gate::kGateSecond}) {
    FeedForwardWeights weights = random_weights(shape, gate);
    for (LinearWeights* layer : {&weights.up, &weights.down}) {
      for (uint32_t adapter = 0; adapter < 2; ++adapter) {
        layer->adapters.push_back({.a = random_tensor(DType::kF32, 4, layer->weight.width(), 0.3, 31 + adapter),
                                   .b = random_tensor(DType::kF32, layer->weight.rows(), 4, 0.5, 41 + adapter),
                                   .scale = 0.25F});
      }
    }
    PackedLayout layout;
    for (const int64_t length : {500, 100, 450, 50}) layout.append(length);
    const RowAdapters rows{{1, kNoAdapter, 0, 1}};
    const AdapterUse use{layout, rows};
    const Tensor x = random_tensor(DType::kF32, shape.tokens, shape.hidden, 1, 3);
    const auto prepared = backend().prepare(weights);
    const Tensor y = backend().feed_forward(*prepared, x, &use);
    expect_near(y, reference(weights, x, compute(), &use), inner_tolerance(shape.inner), "adapters");
    expect_alike(y.rows(500, 600), backend().feed_forward(*prepared, x.rows(500, 600), nullptr), "without adapter");
  }
}

TEST_P(FeedForwardMemory, keeps_the_inner_activations_of_one_tile_only) {
  const FeedForwardShape shape{4096, 32, 512};
  const auto prepared = backend().prepare(random_weights(shape, Gate::kGateFirst));
  const Tensor x = make_tensor(DType::kF32, {shape.tokens, shape.hidden});
  const Tensor y = backend().feed_forward(*prepared, x, nullptr);
  const size_t tile = 512 * static_cast<size_t>(shape.inner + 32) * static_cast<size_t>(size_of(compute()));
  EXPECT_LE(backend().buffers().peak_bytes(), y.bytes() + tile);
}

TEST(FeedForwardShapes, that_do_not_fit_are_refused) {
  FeedForwardWeights weights = random_weights({1, 32, 48}, Gate::kNone);
  weights.gate = Gate::kGateFirst;
  EXPECT_THROW(make_cpu_backend({})->prepare(weights), Error);
}

}  // namespace
}  // namespace jina::test
