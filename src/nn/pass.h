#pragma once

#include <map>
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

  void show(const std::string& name, const Tensor& value) const {
    if (capture != nullptr) capture->add(backend, name, value);
  }
};

}  // namespace jina
