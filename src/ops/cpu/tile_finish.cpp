#include "ops/cpu/tile_finish.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/tile_finish.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace jina {
namespace HWY_NAMESPACE {

namespace {

const hn::CappedTag<float, 16> kFloats;
using Vector = hn::Vec<decltype(kFloats)>;

template <Activation kActivation>
HWY_INLINE Vector activate(Vector x) {
  if constexpr (kActivation == Activation::kGelu) return gelu(kFloats, x);
  if constexpr (kActivation == Activation::kRelu) return hn::Max(x, hn::Zero(kFloats));
  return x;
}

template <Activation kActivation, Gate kGate>
HWY_INLINE Vector finish(const TileFinish& tile, int64_t at) {
  const Vector x = hn::Load(kFloats, tile.sums[0] + at);
  if constexpr (kGate == Gate::kNone) {
    return activate<kActivation>(x);
  } else {
    const Vector y = hn::Load(kFloats, tile.sums[1] + at);
    if constexpr (kGate == Gate::kGateFirst) return hn::Mul(activate<kActivation>(x), y);
    return hn::Mul(x, activate<kActivation>(y));
  }
}

template <Activation kActivation, Gate kGate, typename T>
void finish_rows(const TileFinish& tile) {
  alignas(64) T partial[kPanelColumns];
  const auto lanes = static_cast<int64_t>(hn::Lanes(kFloats));
  const bool is_whole = tile.columns == kPanelColumns;
  for (int64_t row = 0; row < tile.rows; ++row) {
    T* target = reinterpret_cast<T*>(tile.out + row * tile.out_stride);
    T* to = is_whole ? target : partial;
    for (int64_t column = 0; column < kPanelColumns; column += 2 * lanes) {
      const int64_t at = row * kPanelColumns + column;
      const Vector low = finish<kActivation, kGate>(tile, at), high = finish<kActivation, kGate>(tile, at + lanes);
      if constexpr (sizeof(T) == 4) {
        hn::StoreU(low, kFloats, to + column);
        hn::StoreU(high, kFloats, to + column + lanes);
      } else {
        store_bf16_pair(kFloats, low, high, to + column);
      }
    }
    if (!is_whole) std::memcpy(target, partial, static_cast<size_t>(tile.columns) * sizeof(T));
  }
}

template <Activation kActivation, Gate kGate>
void with_output(const TileFinish& tile) {
  if (tile.output == DType::kF32) return finish_rows<kActivation, kGate, float>(tile);
  finish_rows<kActivation, kGate, uint16_t>(tile);
}

template <Activation kActivation>
void with_gate(const TileFinish& tile) {
  switch (tile.gate) {
    case Gate::kNone: return with_output<kActivation, Gate::kNone>(tile);
    case Gate::kGateFirst: return with_output<kActivation, Gate::kGateFirst>(tile);
    case Gate::kGateSecond: return with_output<kActivation, Gate::kGateSecond>(tile);
  }
}

void finish_any(const TileFinish& tile) {
  switch (tile.activation) {
    case Activation::kNone: return with_gate<Activation::kNone>(tile);
    case Activation::kGelu: return with_gate<Activation::kGelu>(tile);
    case Activation::kRelu: return with_gate<Activation::kRelu>(tile);
  }
}

}  // namespace

}  // namespace HWY_NAMESPACE
}  // namespace jina
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jina {

HWY_EXPORT(finish_any);

void finish_tile(const TileFinish& tile) { HWY_DYNAMIC_DISPATCH(finish_any)(tile); }

}  // namespace jina
#endif
