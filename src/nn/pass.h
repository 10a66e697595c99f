#pragma once

#include <map>
#include <memory>
#include <string>

#include "ops/backend.h"

namespace jina {

/// Named intermediate results of one forward pass: copies, for tests that compare layer by layer, or the values
/// themselves, for losses on them (where the backend does not write in place).
class Capture {
 public:
  enum class Keep : uint8_t { kCopies, kValues };
  explicit Capture(Keep keep = Keep::kCopies) : keep_(keep) {}
  void add(Backend& backend, const std::string& name, const Tensor& value);
  /// (tokens, width) f32 by name, e.g. "layer.0".
  const std::map<std::string, Tensor>& values() const { return values_; }

 private:
  Keep keep_;
  std::map<std::string, Tensor> values_;
};

/// Everything one forward pass carries, so that no layer looks for it elsewhere.
struct Pass {
  Backend& backend;
  const PackedLayout& layout;
  const ScorePositions& positions;  // how attention scores know where tokens stand
  const AdapterUse* adapters;       // LoRA choice per row; null when no row uses one
  Capture* capture;                 // null when nobody looks
  /// Owns what the members above point to, for a backend that runs a layer again after the pass; may be empty.
  std::shared_ptr<const void> owner{};

  void show(const std::string& name, const Tensor& value) const {
    if (capture != nullptr) capture->add(backend, name, value);
  }
};

/// What a pass points to, in one piece that can outlive it. `Source` is what `positions` is a view of: a RotaryAngles,
/// the slopes of ALiBi, or nothing.
///
///     const auto state = std::make_shared<const PassState<RotaryAngles>>(batch.layout, batch.adapters,
///     RotaryAngles(…)); const Pass pass = begin_pass(backend, state, capture);
template <typename Source>
struct PassState {
  PassState(PackedLayout l, RowAdapters r, Source s)
      : layout(std::move(l)), rows(std::move(r)), source(std::move(s)), positions(score_positions(source)) {}
  PassState(const PassState&) = delete;
  PassState& operator=(const PassState&) = delete;

  PackedLayout layout;
  RowAdapters rows;
  Source source;
  ScorePositions positions;
  AdapterUse use{layout, rows};
};

struct NoPositions {};
inline ScorePositions score_positions(const NoPositions& /*none*/) { return {}; }

/// A pass over `state`, which it keeps.
template <typename Source>
Pass begin_pass(Backend& backend, const std::shared_ptr<const PassState<Source>>& state, Capture* capture) {
  return {backend, state->layout, state->positions, state->rows.any() ? &state->use : nullptr, capture, state};
}

}  // namespace jina
