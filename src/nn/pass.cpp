#include "nn/pass.h"

#include <cstring>

namespace jina {

void Capture::add(Backend& backend, const std::string& name, const Tensor& value) {
  if (keep_ == Keep::kValues) {
    values_.insert_or_assign(name, value);
    return;
  }
  const Tensor wide = to_f32(backend.to_host(value));
  Tensor copy = make_tensor(DType::kF32, wide.shape());
  std::memcpy(copy.raw(), wide.raw(), wide.bytes());
  values_.insert_or_assign(name, copy);
}

}  // namespace jina
