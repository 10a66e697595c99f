#include "ops/cpu/cpu_backend.h"

namespace jina {

bool has_fast_bf16() { return __builtin_cpu_supports("avx512bf16") != 0; }

std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options) {
  if (options.compute == DType::kBF16 && !has_fast_bf16()) {
    fail(ErrorKind::kUnsupported, {}, "bf16: this processor has no avx512_bf16; use f32");
  }
  return std::make_unique<CpuBackend>(options);
}

}  // namespace jina
