#pragma once

#include <cstdint>
#include <vector>

#include "ops/backend.h"

namespace jina {

/// ALiBi slopes of `heads` heads (Press et al. 2022, section 3): powers of 2^(-8/n), and for a number of heads that is
/// no power of two those of the power below, then every second one of the power above.
std::vector<float> alibi_slopes(int64_t heads);

/// Cosines and sines of the rotary angles position * base^(-2i / head_dim) (Su et al. 2021), computed in float64.
class RotaryAngles {
 public:
  RotaryAngles(int64_t positions, int64_t head_dim, double base);
  /// Both (positions, head_dim / 2).
  RotaryTables tables() const { return {cosines_, sines_}; }

 private:
  std::vector<float> cosines_;
  std::vector<float> sines_;
};

inline ScorePositions score_positions(const RotaryAngles& angles) { return angles.tables(); }

/// The slopes of ALiBi as a pass owns them.
struct AlibiSlopes {
  std::vector<float> values;  // (heads)
};
inline ScorePositions score_positions(const AlibiSlopes& slopes) { return AlibiBias{slopes.values}; }

}  // namespace jina
