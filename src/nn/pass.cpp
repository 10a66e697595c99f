#include "nn/pass.h"

#include <cstring>

namespace jina {

void Capture::add(const std::string& name, const Tensor& value) {
  const Tensor wide = to_f32(value);
  Tensor copy = make_tensor(DType::kF32, wide.shape());
  std::memcpy(copy.raw(), wide.raw(), wide.bytes());
  values_.insert_or_assign(name, copy);
}

}  // namespace jina
