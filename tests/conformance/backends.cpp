#include "conformance/backends.h"

#ifdef JINA_TORCH
#include <ATen/Parallel.h>

#include "ops/torch/torch_backend.h"
#endif

namespace jina::test {

std::string name_of(const BackendCase& c) {
  const std::string name = std::string(to_string(c.compute)) + "_" + std::to_string(c.threads) + "threads";
  if (c.device == Device::kTorch) return "torch_" + name;
  return name + (c.policy == PreparePolicy::kPacked ? "_packed" : "_mapped");
}

std::unique_ptr<Backend> make_backend(const BackendCase& c) {
#ifdef JINA_TORCH
  if (c.device == Device::kTorch) {
    at::set_num_threads(c.threads);
    return std::make_unique<TorchBackend>(TorchOptions{.compute = c.compute});
  }
#endif
  return make_cpu_backend({.threads = c.threads, .compute = c.compute, .policy = c.policy});
}

std::vector<BackendCase> cpu_backends() {
  std::vector<BackendCase> cases;
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    for (const int threads : {1, 2, 3}) cases.push_back({.compute = compute, .threads = threads});
    cases.push_back({.compute = compute, .threads = 2, .policy = PreparePolicy::kMapped});
  }
  return cases;
}

std::vector<BackendCase> all_backends() {
  std::vector<BackendCase> cases = cpu_backends();
#ifdef JINA_TORCH
  for (const DType compute : {DType::kF32, DType::kBF16, DType::kF64}) {
    cases.push_back({.device = Device::kTorch, .compute = compute});
  }
  cases.push_back({.device = Device::kTorch, .compute = DType::kF32, .threads = 2});
#endif
  return cases;
}

}  // namespace jina::test
