#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jina {

double schedule_factor(const OptimiserRecipe& recipe, int64_t step, int64_t steps) {
  const double warmup = std::floor(recipe.warmup > 1 ? recipe.warmup : recipe.warmup * static_cast<double>(steps));
  const auto place = static_cast<double>(step);
  if (place < warmup) return (place + 1) / warmup;
  const double rest = static_cast<double>(steps - 1) - warmup;
  const double t = rest > 0 ? std::clamp((place - warmup) / rest, 0.0, 1.0) : 0;
  const double final_share = recipe.final_share;
  switch (recipe.schedule) {
    case Schedule::kConstant: return 1;
    case Schedule::kLinear: return 1 - (1 - final_share) * t;
    case Schedule::kCosine: return final_share + (1 - final_share) * (1 + std::cos(std::numbers::pi * t)) / 2;
    case Schedule::kInverseSquareRoot: return std::sqrt(std::max(warmup, 1.0) / (place + 1));
  }
  return 1;
}

}  // namespace jina
