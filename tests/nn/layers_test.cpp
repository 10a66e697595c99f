#include "nn/layers.h"

#include <gtest/gtest.h>

#include "ops/cpu/cpu_backend.h"
#include "support/golden.h"

namespace jina {
namespace {

Tensor ramp(Shape shape, float step) {
  Tensor tensor = make_tensor(DType::kF32, shape);
  for (int64_t i = 0; i < shape.elements(); ++i) tensor.data<float>()[i] = step * static_cast<float>(i % 11 - 5);
  return tensor;
}

LinearWeights part(int64_t out, float step) {
  return {
      .weight = ramp({out, 6}, step),
      .bias = ramp({out}, 0.5F),
      .adapters = {{ramp({2, 6}, step), ramp({out, 2}, 0.1F), 0.5F}, {ramp({3, 6}, 0.2F), ramp({out, 3}, step), 2}}};
}

TEST(StackedLinear, EqualsItsPartsWithEveryAdapter) {
  const auto backend = make_cpu_backend({.threads = 1});
  const PackedLayout layout{{0, 2, 5, 6}};
  const RowAdapters rows{{kNoAdapter, 0, 1}};
  const AdapterUse use{layout, rows};
  const ScorePositions positions;
  const Pass pass{*backend, layout, positions, &use, nullptr};
  const Tensor x = ramp({6, 6}, 0.3F);
  const Linear fused(*backend, std::vector{part(4, 0.1F), part(5, -0.2F)});
  const Linear first(*backend, part(4, 0.1F));
  const Linear second(*backend, part(5, -0.2F));
  const Tensor together = fused(pass, x);
  const Tensor a = first(pass, x);
  const Tensor b = second(pass, x);
  for (int64_t token = 0; token < 6; ++token) {
    for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(together.row<float>(token)[i], a.row<float>(token)[i], 1e-5);
    for (int64_t i = 0; i < 5; ++i) EXPECT_NEAR(together.row<float>(token)[4 + i], b.row<float>(token)[i], 1e-5);
  }
  // Negative control: with another adapter the same rows differ.
  const RowAdapters others{{1, 1, 1}};
  const AdapterUse other_use{layout, others};
  const Tensor changed = fused({*backend, layout, positions, &other_use, nullptr}, x);
  EXPECT_GT(std::abs(changed.row<float>(0)[0] - together.row<float>(0)[0]), 1e-3);
}

TEST(Capture, KeepsCopiesByName) {
  Capture capture;
  Tensor tensor = ramp({2, 2}, 1);
  capture.add(*make_cpu_backend({}), "a", tensor);
  tensor.data<float>()[0] = 99;
  EXPECT_EQ(capture.values().at("a").data<float>()[0], -5);
}

}  // namespace
}  // namespace jina
