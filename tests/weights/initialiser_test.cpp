#include "weights/initialiser.h"

#include <cmath>

#include "support/expect_error.h"

namespace jina {
namespace {

using test::expect_error;

double mean_of(const Tensor& tensor) {
  double sum = 0;
  for (const float value : to_f32(tensor).span<float>()) sum += value;
  return sum / static_cast<double>(tensor.shape().elements());
}

double deviation_of(const Tensor& tensor) {
  const double mean = mean_of(tensor);
  double sum = 0;
  for (const float value : to_f32(tensor).span<float>()) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(tensor.shape().elements()));
}

std::vector<float> values(const Tensor& tensor) {
  const Tensor wide = to_f32(tensor);
  return {wide.span<float>().begin(), wide.span<float>().end()};
}

TEST(Initialiser, DependsOnSeedAndNameAlone) {
  const auto first = make_initialiser(1, 0.02F, DType::kF32);
  const auto second = make_initialiser(1, 0.02F, DType::kF32);
  const std::vector<float> a = values(first->find("a.weight", {4, 8}).value());
  first->find("b.weight", {4, 8});
  EXPECT_EQ(values(second->find("b.weight", {4, 8}).value()), values(first->find("b.weight", {4, 8}).value()));
  EXPECT_EQ(values(second->find("a.weight", {4, 8}).value()), a);
  EXPECT_NE(values(first->find("b.weight", {4, 8}).value()), a);
  EXPECT_NE(values(make_initialiser(2, 0.02F, DType::kF32)->find("a.weight", {4, 8}).value()), a);
}

TEST(Initialiser, KindsFollowTheName) {
  const auto source = make_initialiser(1, 0.02F, DType::kF32);
  const Tensor matrix = source->find("encoder.weight", {300, 300}).value();
  EXPECT_NEAR(mean_of(matrix), 0, 0.0005);
  EXPECT_NEAR(deviation_of(matrix), 0.02, 0.0005);
  const Tensor norm = source->find("LayerNorm.weight", {90000}).value();
  EXPECT_NEAR(mean_of(norm), 1, 0.0005);
  EXPECT_NEAR(deviation_of(norm), 0.02, 0.0005);
  const Tensor bias = source->find("LayerNorm.bias", {90000}).value();
  EXPECT_NEAR(mean_of(bias), 0, 0.0005);
  EXPECT_NEAR(deviation_of(bias), 0.02, 0.0005);
}

// Rounding to nearest is at most half a unit in the last place: 2^-9 of the value for bf16, 2^-12 for f16, and 2^-25
// below f16's normal numbers.
TEST(Initialiser, NarrowTypesAreTheSameNumbersRounded) {
  for (const float deviation : {0.02F, 1e-5F}) {
    const std::vector<float> wide = values(make_initialiser(1, deviation, DType::kF32)->find("w", {50, 50}).value());
    const std::vector<float> bf16 = values(make_initialiser(1, deviation, DType::kBF16)->find("w", {50, 50}).value());
    const std::vector<float> f16 = values(make_initialiser(1, deviation, DType::kF16)->find("w", {50, 50}).value());
    for (size_t i = 0; i < wide.size(); ++i) {
      ASSERT_LE(std::abs(bf16[i] - wide[i]), std::abs(wide[i]) * 0x1p-8F);
      ASSERT_LE(std::abs(f16[i] - wide[i]), std::max(std::abs(wide[i]) * 0x1p-11F, 0x1p-25F));
    }
    EXPECT_NE(f16, wide);
    EXPECT_NE(bf16, f16);
  }
}

TEST(Initialiser, FitsTheAccount) {
  const Weights weights(make_initialiser(1, 0.02F, DType::kBF16));
  EXPECT_FALSE(weights.has("w"));
  EXPECT_EQ(weights.get("w", {2, 3}).dtype(), DType::kBF16);
  EXPECT_TRUE(weights.find("optional", {3}).has_value());
  EXPECT_NO_THROW(weights.finish());
  EXPECT_EQ(weights.parameters(), 9);
  weights.release_taken();
}

TEST(Initialiser, RefusesShapesAndTypesThatCannotBe) {
  const auto source = make_initialiser(9, 0.02F, DType::kF32);
  constexpr int64_t kHuge = int64_t{1} << 32;
  expect_error(ErrorKind::kModelFile, "tensor 'w': shape (4294967296, 4294967296)", [&] {
    source->find("w", {kHuge, kHuge});
  });
  expect_error(ErrorKind::kModelFile, "initialiser (seed 9): tensor 'w': shape (-1)", [&] { source->find("w", {-1}); });
  expect_error(ErrorKind::kInvalidArgument, "found i8", [] { make_initialiser(1, 0.02F, DType::kI8); });
}

}  // namespace
}  // namespace jina
