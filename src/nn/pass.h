#pragma once

#include <map>
#include <string>

#include "ops/backend.h"

namespace jina {

/// Named intermediate results of one forward pass, copied for tests that compare layer by layer.
class Capture {
 public:
  void add(const std::string& name, const Tensor& value);
  /// (tokens, width) f32 by name, e.g. "layer.0".
  const std::map<std::string, Tensor>& values() const { return values_; }

 private:
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
    if (capture != nullptr) capture->add(name, value);
  }
};

}  // namespace jina
