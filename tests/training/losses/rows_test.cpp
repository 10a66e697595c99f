#include "training/losses/rows.h"

#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(LossRows, HaveUnitLengthAndTheirGradient) {
  const at::Tensor vectors = random_tensor(1, {2, 3, 4});
  EXPECT_LE(max_difference(unit_rows(vectors).square().sum(2), at::ones({2, 3}, at::kDouble)), 1e-12);
  LossBatch batch;
  batch.negatives = vectors;
  gradient_check(
      [](const LossBatch& b) {
        return (unit_rows(b.negatives) * random_tensor(2, {2, 3, 4})).sum();
      },
      batch);
}

TEST(LossRows, AZeroRowStaysZeroAndGetsNoGradient) {
  const at::Tensor vectors = at::tensor({3.0, 4.0, 0.0, 0.0}, at::kDouble).reshape({2, 2}).set_requires_grad(true);
  const at::Tensor units = unit_rows(vectors);
  EXPECT_LE(max_difference(units, at::tensor({0.6, 0.8, 0.0, 0.0}, at::kDouble).reshape({2, 2})), 1e-15);
  (units * at::tensor({1.0, 2.0}, at::kDouble)).sum().backward();
  EXPECT_EQ(vectors.grad()[1].abs().max().item<double>(), 0);
  EXPECT_GT(vectors.grad()[0].abs().max().item<double>(), 0.01);
}

TEST(LossRows, NarrowTypesAreLifted) {
  EXPECT_EQ(at_least_f32(at::ones({2}, at::kBFloat16)).scalar_type(), at::kFloat);
  EXPECT_EQ(at_least_f32(at::ones({2}, at::kHalf)).scalar_type(), at::kFloat);
  EXPECT_EQ(at_least_f32(at::ones({2}, at::kDouble)).scalar_type(), at::kDouble);
}

TEST(LossRows, OffDiagonalKeepsTheOrder) {
  const at::Tensor matrix = at::arange(9, at::kDouble).reshape({3, 3});
  const at::Tensor expected = at::tensor({1.0, 2.0, 3.0, 5.0, 6.0, 7.0}, at::kDouble).reshape({3, 2});
  EXPECT_TRUE(at::equal(off_diagonal(matrix), expected));
  EXPECT_EQ(off_diagonal(at::ones({1, 1})).sizes(), (std::vector<int64_t>{1, 0}));
}

TEST(LossRows, DivergenceOfKnownDistributions) {
  const at::Tensor half = at::tensor({0.5, 0.5}, at::kDouble).log().unsqueeze(0);
  const at::Tensor quarter = at::tensor({0.25, 0.75}, at::kDouble).log().unsqueeze(0);
  EXPECT_NEAR(row_divergence(half, quarter).item<double>(), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-15);
  EXPECT_NEAR(row_divergence(half, half + 3).item<double>(), 0, 1e-15);
}

}  // namespace
}  // namespace jina::test
