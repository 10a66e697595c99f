#include "training/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace jina {
namespace {

TEST(Schedule, WarmsUpFromTheFirstStepAndEndsAtTheFinalShare) {
  for (const Schedule kind : {Schedule::kLinear, Schedule::kCosine}) {
    const OptimiserRecipe recipe{.schedule = kind, .warmup = 4, .final_share = 0.1};
    EXPECT_DOUBLE_EQ(schedule_factor(recipe, 0, 20), 0.25);
    EXPECT_DOUBLE_EQ(schedule_factor(recipe, 3, 20), 1);
    EXPECT_DOUBLE_EQ(schedule_factor(recipe, 4, 20), 1);
    EXPECT_NEAR(schedule_factor(recipe, 19, 20), 0.1, 1e-12);
    for (int64_t step = 5; step < 20; ++step) {
      EXPECT_LT(schedule_factor(recipe, step, 20), schedule_factor(recipe, step - 1, 20)) << step;
    }
  }
}

TEST(Schedule, TakesTheWarmUpAsAShareOfTheSteps) {
  const OptimiserRecipe recipe{.schedule = Schedule::kConstant, .warmup = 0.1};
  EXPECT_DOUBLE_EQ(schedule_factor(recipe, 0, 100), 0.1);
  EXPECT_DOUBLE_EQ(schedule_factor(recipe, 10, 100), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(recipe, 99, 100), 1);
}

TEST(Schedule, HasItsFormulasInTheMiddle) {
  const OptimiserRecipe linear{.schedule = Schedule::kLinear, .warmup = 0, .final_share = 0.2};
  EXPECT_NEAR(schedule_factor(linear, 5, 11), 0.6, 1e-12);
  const OptimiserRecipe cosine{.schedule = Schedule::kCosine, .warmup = 0, .final_share = 0};
  EXPECT_NEAR(schedule_factor(cosine, 5, 11), 0.5, 1e-12);
  const OptimiserRecipe root{.schedule = Schedule::kInverseSquareRoot, .warmup = 4};
  EXPECT_NEAR(schedule_factor(root, 15, 100), 0.5, 1e-12);
}

TEST(Schedule, OfOneStepIsTheFullRate) { EXPECT_EQ(schedule_factor({.warmup = 0}, 0, 1), 1); }

}  // namespace
}  // namespace jina
