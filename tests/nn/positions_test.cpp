#include "nn/positions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden.h"

namespace jina {
namespace {

class Slopes : public testing::TestWithParam<const char*> {};

TEST_P(Slopes, EqualTheReference) {
  const test::Golden golden(GetParam());
  const auto expected = golden.expected().at("alibi_slopes").as_array();
  const auto slopes = alibi_slopes(static_cast<int64_t>(expected.size()));
  ASSERT_EQ(slopes.size(), expected.size());
  for (size_t i = 0; i < slopes.size(); ++i) EXPECT_FLOAT_EQ(slopes[i], static_cast<float>(expected[i].as_double()));
}

INSTANTIATE_TEST_SUITE_P(Heads, Slopes, testing::Values("v2-small-8h", "v2-base-12h", "v2-code-6h"));

TEST(Rotary, AnglesOfTheFormula) {
  const RotaryAngles angles(5, 8, 10000);
  const RotaryTables tables = angles.tables();
  ASSERT_EQ(tables.cosines.size(), 20u);
  for (size_t position = 0; position < 5; ++position) {
    for (size_t i = 0; i < 4; ++i) {
      const double angle = static_cast<double>(position) * std::pow(10000.0, -static_cast<double>(i) / 4);
      EXPECT_FLOAT_EQ(tables.cosines[position * 4 + i], static_cast<float>(std::cos(angle)));
      EXPECT_FLOAT_EQ(tables.sines[position * 4 + i], static_cast<float>(std::sin(angle)));
    }
  }
}

}  // namespace
}  // namespace jina
