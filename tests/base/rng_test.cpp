#include "base/rng.h"

#include <gtest/gtest.h>

#include <set>

namespace jina {
namespace {

TEST(CounterRng, MixerIsThatOfSplitMix64) {
  // First outputs of Vigna's splitmix64.c with state 1234567.
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;
  EXPECT_EQ(mix_bits(1234567 + kStep), 6457827717110365317u);
  EXPECT_EQ(mix_bits(1234567 + 2 * kStep), 3203168211198807973u);
  EXPECT_EQ(mix_bits(1234567 + 3 * kStep), 9817491932198370423u);
}

TEST(CounterRng, IsAFunctionOfSeedStreamAndPosition) {
  EXPECT_EQ(CounterRng(1, "a").bits(5), CounterRng(1, "a").bits(5));
  const std::set<uint64_t> all{CounterRng(1, "a").bits(5), CounterRng(2, "a").bits(5), CounterRng(1, "b").bits(5),
                               CounterRng(1, "a").bits(6), CounterRng(1, uint64_t{7}).bits(5)};
  EXPECT_EQ(all.size(), 5u);
}

struct Moments {
  double mean = 0;
  double variance = 0;
  double fourth = 0;
  double neighbours = 0;  // correlation of x[i] and x[i + 1]
};

template <typename Draw>  // a function of the position
Moments moments(Draw draw) {
  constexpr uint64_t kCount = 1 << 20;
  Moments sum;
  for (uint64_t i = 0; i < kCount; ++i) {
    const double x = draw(i);
    sum.mean += x;
    sum.variance += x * x;
    sum.fourth += x * x * x * x;
    sum.neighbours += x * draw(i + 1);
  }
  sum.mean /= kCount;
  sum.variance = sum.variance / kCount - sum.mean * sum.mean;
  sum.fourth /= kCount;
  sum.neighbours = sum.neighbours / kCount - sum.mean * sum.mean;
  return sum;
}

// A million draws: the standard error of a mean of unit variance is 0.001, the bounds are five of them and more.
TEST(CounterRng, NumbersHaveTheMomentsOfTheirDistribution) {
  const CounterRng rng(7, "weights");
  const Moments uniform = moments([&](uint64_t i) { return rng.uniform(i); });
  EXPECT_NEAR(uniform.mean, 0.5, 0.002);
  EXPECT_NEAR(uniform.variance, 1.0 / 12, 0.002);
  EXPECT_NEAR(uniform.neighbours, 0, 0.002);
  const Moments normal = moments([&](uint64_t i) { return rng.normal(i); });
  EXPECT_NEAR(normal.mean, 0, 0.006);
  EXPECT_NEAR(normal.variance, 1, 0.01);
  EXPECT_NEAR(normal.fourth, 3, 0.06);
  EXPECT_NEAR(normal.neighbours, 0, 0.006);
  const Moments rough = moments([&](uint64_t i) { return rng.rough_normal(i); });
  EXPECT_NEAR(rough.mean, 0, 0.006);
  EXPECT_NEAR(rough.variance, 1, 0.01);
  EXPECT_NEAR(rough.fourth, 2.7, 0.06);
  EXPECT_NEAR(rough.neighbours, 0, 0.006);
}

TEST(CounterRng, NumbersStayInTheirRange) {
  const CounterRng rng(3, uint64_t{0});
  for (uint64_t i = 0; i < 100000; ++i) {
    ASSERT_GE(rng.uniform(i), 0.0);
    ASSERT_LT(rng.uniform(i), 1.0);
    ASSERT_TRUE(std::isfinite(rng.normal(i)));
    ASSERT_LE(std::abs(rng.rough_normal(i)), 3.4642F);
  }
}

}  // namespace
}  // namespace jina
