// room: weights
// Any bytes either are a safetensors file or give an Error; the tensors of one cover its data exactly.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "weights/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto header = jina::parse_safetensors_header(std::as_bytes(std::span(data, size)), "input");
    size_t first = size;
    size_t bytes = 0;
    for (const auto& [name, tensor] : header.tensors) {
      if (tensor.begin > tensor.end || tensor.end > size) std::abort();
      first = std::min(first, tensor.begin);
      bytes += tensor.end - tensor.begin;
      if (jina::quoted_name(name).size() < 2) std::abort();
    }
    if (bytes != size - first) std::abort();
  } catch (const jina::Error&) {
  }
  return 0;
}
