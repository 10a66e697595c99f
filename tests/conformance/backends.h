#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/backend.h"
#include "ops/cpu/cpu_backend.h"
#include "support/tolerance.h"

namespace jina::test {

/// Backend × type of every conformance case: device, compute type, threads, policy. The last two are the CPU's.
struct BackendCase {
  Device device = Device::kCpu;
  DType compute = DType::kF32;
  int threads = 1;
  PreparePolicy policy = PreparePolicy::kPacked;
};

std::string name_of(const BackendCase& c);
std::unique_ptr<Backend> make_backend(const BackendCase& c);

std::vector<BackendCase> cpu_backends();
/// With those of libtorch where it is part of the build.
std::vector<BackendCase> all_backends();

}  // namespace jina::test
