#include "nn/positions.h"

#include <bit>
#include <cmath>

namespace jina {

namespace {

void append_slopes(std::vector<float>& slopes, int64_t heads, int64_t step, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const double exponent = -8.0 * static_cast<double>(i * step + 1) / static_cast<double>(heads);
    slopes.push_back(static_cast<float>(std::exp2(exponent)));
  }
}

}  // namespace

std::vector<float> alibi_slopes(int64_t heads) {
  const auto below = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  append_slopes(slopes, below, 1, below);
  append_slopes(slopes, 2 * below, 2, heads - below);
  return slopes;
}

RotaryAngles::RotaryAngles(int64_t positions, int64_t head_dim, double base) {
  const int64_t half = head_dim / 2;
  cosines_.reserve(static_cast<size_t>(positions * half));
  sines_.reserve(static_cast<size_t>(positions * half));
  std::vector<double> frequencies;
  for (int64_t i = 0; i < half; ++i) {
    frequencies.push_back(std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  }
  for (int64_t position = 0; position < positions; ++position) {
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(position) * frequency;
      cosines_.push_back(static_cast<float>(std::cos(angle)));
      sines_.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

}  // namespace jina
