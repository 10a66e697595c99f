#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <functional>
#include <memory>

namespace jina::test {

/// Most bytes of libtorch's tensors that `body` made and that existed at one time, as libtorch tells a profiler.
inline int64_t peak_tensor_bytes(const std::function<void()>& body) {
  class Count final : public c10::MemoryReportingInfoBase {
   public:
    bool memoryProfilingEnabled() const override { return true; }
    void reportMemoryUsage(void* /*ptr*/, int64_t size, size_t /*allocated*/, size_t /*reserved*/,
                           c10::Device /*device*/) override {
      now_ += size;
      peak = std::max(peak, now_);
    }
    int64_t peak = 0;

   private:
    int64_t now_ = 0;
  };
  const auto count = std::make_shared<Count>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, count);
  body();
  return count->peak;
}

}  // namespace jina::test
