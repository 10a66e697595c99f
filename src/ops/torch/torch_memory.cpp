#include "ops/torch/torch_memory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace jina {

namespace {

/// What is moved from one tensor to the next at a time. Smaller: less is wasted at a tensor's end, more calls.
constexpr size_t kPiece = size_t{512} << 10;
/// Tensors below this come from the heap.
constexpr size_t kLeast = size_t{2} << 20;
constexpr size_t kAlignment = 64;

[[noreturn]] void fail_for_want_of(size_t bytes) {
  fail(ErrorKind::kIo, {}, "out of memory: {} bytes were asked for", bytes);
}

class PageRecycler final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = bytes < kLeast ? heap(bytes) : join(bytes);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }

  static PageRecycler& instance() {
    // Never destroyed: tensors with static lifetime outlive everything else.
    static PageRecycler& recycler = *std::make_unique<PageRecycler>().release();
    return recycler;
  }

 private:
  static void* heap(size_t bytes) {
    if (bytes == 0) return nullptr;
    void* data = nullptr;
    if (::posix_memalign(&data, kAlignment, bytes) != 0) fail_for_want_of(bytes);
    return data;
  }

  /// A range of addresses with pieces that were left, and new ones behind them.
  void* join(size_t bytes) {
    const size_t pieces = (bytes + kPiece - 1) / kPiece;
    void* const range = ::mmap(nullptr, pieces * kPiece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) fail_for_want_of(bytes);
    auto* const begin = static_cast<std::byte*>(range);
    const std::lock_guard lock(mutex_);
    size_t place = 0;
    while (place < pieces && !left_.empty()) {
      void* const target = begin + place * kPiece;
      if (::mremap(left_.back(), kPiece, kPiece, MREMAP_MAYMOVE | MREMAP_FIXED, target) == MAP_FAILED) break;
      left_.pop_back();
      ++place;
    }
    // Pieces are left here only when the process has too many mappings: they go, as many as come anew.
    for (size_t i = place; i < pieces && !left_.empty(); ++i, left_.pop_back()) ::munmap(left_.back(), kPiece);
    const size_t rest = (pieces - place) * kPiece;
    if (rest > 0 && ::mprotect(begin + place * kPiece, rest, PROT_READ | PROT_WRITE) != 0) {
      ::munmap(range, pieces * kPiece);
      fail_for_want_of(bytes);
    }
    pieces_.emplace(range, pieces);
    return range;
  }

  void leave(void* data) {
    const std::lock_guard lock(mutex_);
    const auto found = pieces_.find(data);
    if (found == pieces_.end()) return std::free(data);  // NOLINT(cppcoreguidelines-*): of posix_memalign
    for (size_t i = 0; i < found->second; ++i) left_.push_back(static_cast<std::byte*>(data) + i * kPiece);
    pieces_.erase(found);
  }

  static void release(void* data) {
    if (data != nullptr) instance().leave(data);
  }

  std::mutex mutex_;
  std::unordered_map<void*, size_t> pieces_;  // of the ranges in use
  std::vector<void*> left_;
};

}  // namespace

void recycle_tensor_pages() { c10::SetCPUAllocator(&PageRecycler::instance(), 1); }

}  // namespace jina
