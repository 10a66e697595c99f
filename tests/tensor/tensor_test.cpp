#include "tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace jina {
namespace {

Tensor counting(Shape shape) {
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return make_tensor(values, shape);
}

TEST(Tensor, ShapeSpeaks) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.elements(), 24);
  EXPECT_EQ(to_string(shape), "(2, 3, 4)");
  EXPECT_EQ(to_string(Shape{}), "()");
  EXPECT_NE(shape, (Shape{2, 3}));
  EXPECT_THROW((Shape{1, 2, 3, 4, 5}), Error);
}

TEST(Tensor, RowsAndColumnsShareMemory) {
  const Tensor matrix = counting({4, 5});
  const Tensor middle = matrix.rows(1, 3);
  EXPECT_EQ(middle.shape(), (Shape{2, 5}));
  EXPECT_EQ(middle.row<float>(1)[2], 12.0F);
  const Tensor right = middle.columns(3, 5);
  EXPECT_EQ(right.shape(), (Shape{2, 2}));
  EXPECT_EQ(right.row_stride(), 5);
  EXPECT_FALSE(right.is_contiguous());
  EXPECT_EQ(right.row<float>(1)[1], 14.0F);
  right.row<float>(1)[1] = -1.0F;
  EXPECT_EQ(matrix.row<float>(2)[4], -1.0F);
  EXPECT_THROW(right.span<float>(), Error);
  EXPECT_THROW(matrix.rows(3, 5), Error);
  EXPECT_THROW(matrix.columns(0, 6), Error);
}

TEST(Tensor, ReshapedKeepsTheElements) {
  const Tensor matrix = counting({4, 6});
  const Tensor cube = matrix.reshaped({2, 4, 3});
  EXPECT_EQ(cube.row<float>(1)[0], 12.0F);
  EXPECT_THROW(matrix.reshaped({5, 5}), Error);
  EXPECT_THROW(matrix.columns(0, 3).reshaped({12}), Error);
}

TEST(Tensor, SoleOwnerIsNoticed) {
  Tensor first = counting({2, 2});
  EXPECT_TRUE(first.is_sole_owner());
  {
    const Tensor second = first;
    EXPECT_FALSE(first.is_sole_owner());
  }
  EXPECT_TRUE(first.is_sole_owner());
}

TEST(Tensor, StorageTooSmallForItsShapeIsRefused) {
  const Tensor small = make_tensor(DType::kF32, {2, 2});
  EXPECT_THROW(Tensor(Storage{small.raw(), 15, nullptr}, DType::kF32, {2, 2}), Error);
}

TEST(Tensor, HalfPrecisionValuesAreExact) {
  // IEEE 754 binary16: one, the largest, the smallest normal, the smallest denormal, infinity.
  EXPECT_EQ(to_float(Float16{0x3C00}), 1.0F);
  EXPECT_EQ(to_float(Float16{0x7BFF}), 65504.0F);
  EXPECT_EQ(to_float(Float16{0x0400}), 0x1p-14F);
  EXPECT_EQ(to_float(Float16{0x0001}), 0x1p-24F);
  EXPECT_EQ(to_float(Float16{0xFC00}), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::signbit(to_float(Float16{0x8000})));
  EXPECT_TRUE(std::isnan(to_float(Float16{0x7E01})));
}

TEST(Tensor, BFloat16RoundsToNearestEven) {
  EXPECT_EQ(to_bfloat16(1.0F).bits, 0x3F80);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808000u)).bits, 0x3F80);  // tie, to even
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F818000u)).bits, 0x3F82);  // tie, to even
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808001u)).bits, 0x3F81);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80);  // rounds up to infinity
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::bit_cast<float>(0x7F800001u)))));
  for (uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const BFloat16 value{static_cast<uint16_t>(bits)};
    ASSERT_EQ(to_bfloat16(to_float(value)).bits, bits);
  }
}

TEST(Tensor, WidenedToFloat32) {
  const Tensor half = make_tensor(DType::kBF16, {2, 3});
  for (int i = 0; i < 6; ++i) half.data<BFloat16>()[i] = to_bfloat16(static_cast<float>(i));
  const Tensor wide = to_f32(half.columns(1, 3));
  EXPECT_EQ(wide.shape(), (Shape{2, 2}));
  EXPECT_EQ(wide.row<float>(1)[1], 5.0F);
  const Tensor same = counting({2, 2});
  EXPECT_EQ(to_f32(same).raw(), same.raw());
  EXPECT_THROW(to_f32(make_tensor(DType::kI32, {2})), Error);
}

TEST(Tensor, FreeColumnsAreTheSoleOwnersOwn) {
  Tensor fused = counting({5, 48});
  Tensor query = fused.columns(0, 16);
  EXPECT_TRUE(query.free_columns(DType::kF32, 16).is_empty());  // `fused` holds the memory too
  fused = {};
  EXPECT_TRUE(query.free_columns(DType::kF32, 33).is_empty());  // one column too many
  EXPECT_TRUE(query.columns(0, 15).free_columns(DType::kF32, 16).is_empty());
  const Tensor behind = query.free_columns(DType::kF32, 32);
  EXPECT_EQ(behind.shape(), (Shape{5, 32}));
  EXPECT_EQ(behind.row<float>(4)[31], 239.0F);
  EXPECT_TRUE(behind.shares_memory_with(query));
}

TEST(Tensor, FreeColumnsMayBeOfAnotherType) {
  Tensor query = make_tensor(DType::kBF16, {3, 96}).columns(0, 32);
  const Tensor behind = query.free_columns(DType::kF32, 32);
  EXPECT_EQ(behind.raw(), query.raw() + 64);
  EXPECT_EQ(behind.row_stride(), 48);
  Tensor last = make_tensor(DType::kF32, {3, 48}).columns(32, 48);
  EXPECT_TRUE(last.free_columns(DType::kF32, 16).is_empty());  // nothing lies behind
}

TEST(Tensor, FreeColumnsStartOnACacheLine) {
  const Tensor narrow = make_tensor(DType::kF32, {3, 24}).columns(0, 8);
  EXPECT_TRUE(narrow.free_columns(DType::kF32, 8).is_empty());
}

TEST(Transposed, TurnsColumnsIntoRows) {
  const Tensor matrix = make_tensor(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_THAT(transposed(matrix).span<float>(), testing::ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_EQ(transposed(matrix.columns(1, 3)).shape(), (Shape{2, 2}));
  EXPECT_THAT(transposed(matrix.columns(1, 3)).span<float>(), testing::ElementsAre(2, 5, 3, 6));
}

TEST(StackRows, KeepsTheCommonType) {
  const Tensor a = make_tensor(std::vector<float>{1, 2, 3, 4}, {2, 2});
  const Tensor wide = make_tensor(std::vector<float>{0, 5, 6}, {1, 3});
  const Tensor stacked = stack_rows(std::vector{a, wide.columns(1, 3)});
  EXPECT_EQ(stacked.shape(), (Shape{3, 2}));
  EXPECT_THAT(stacked.span<float>(), testing::ElementsAre(1, 2, 3, 4, 5, 6));

  Tensor half = make_tensor(DType::kBF16, {1, 2});
  half.data<BFloat16>()[1] = to_bfloat16(0.5F);
  EXPECT_EQ(stack_rows(std::vector{half, half}).dtype(), DType::kBF16);
  const Tensor mixed = stack_rows(std::vector{half, a});
  EXPECT_EQ(mixed.dtype(), DType::kF32);
  EXPECT_THAT(mixed.span<float>(), testing::ElementsAre(0, 0.5F, 1, 2, 3, 4));
}

TEST(StackRows, StacksVectors) {
  const Tensor a = make_tensor(std::vector<float>{1, 2}, {2});
  const Tensor b = make_tensor(std::vector<float>{3}, {1});
  const Tensor stacked = stack_rows(std::vector{a, b});
  EXPECT_EQ(stacked.shape(), (Shape{3}));
  EXPECT_THAT(stacked.span<float>(), testing::ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace jina
