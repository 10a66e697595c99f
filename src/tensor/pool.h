#pragma once

#include <memory>

#include "tensor/tensor.h"

namespace jina {

/// Buffers for intermediate tensors: taken from the system once, returned here when the last handle dies, reused by the
/// next tensor that fits. Peak memory is therefore that of the tensors alive at once. Thread-safe; tensors may outlive
/// it.
class TensorPool {
 public:
  TensorPool();
  /// An uninitialised contiguous tensor, 64-byte aligned.
  Tensor allocate(DType dtype, Shape shape);
  /// Bytes handed out now, and the most ever handed out.
  size_t bytes_in_use() const;
  size_t peak_bytes() const;
  /// Bytes held from the system: in use plus kept for reuse.
  size_t bytes_held() const;
  /// Gives buffers that are not in use back to the system.
  void trim();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace jina
