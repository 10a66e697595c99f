#include "tensor/pool.h"

#include <map>
#include <mutex>

#include "tensor/buffer.h"

namespace jina {

namespace {

constexpr size_t kAlignment = 64;

}  // namespace

struct TensorPool::State {
  mutable std::mutex mutex;
  std::multimap<size_t, std::byte*> idle;  // capacity → buffer
  size_t idle_bytes = 0;
  size_t in_use = 0;
  size_t peak = 0;

  ~State() { drop_idle(); }

  void drop_idle() {
    for (const auto& [capacity, data] : idle) give_back_buffer(data, capacity);
    idle.clear();
    idle_bytes = 0;
  }

  /// A buffer of at least `bytes` and at most twice that, so that a small tensor does not hold a large buffer.
  std::pair<std::byte*, size_t> acquire(size_t bytes) {
    const std::lock_guard lock(mutex);
    std::pair<std::byte*, size_t> buffer;
    if (const auto found = idle.lower_bound(bytes); found != idle.end() && found->first <= 2 * bytes) {
      buffer = {found->second, found->first};
      idle_bytes -= found->first;
      idle.erase(found);
    } else {
      if (idle_bytes > 0 && idle_bytes + in_use + bytes > peak) drop_idle();  // reuse failed: do not grow beside it
      buffer = {take_buffer(bytes), bytes};
    }
    in_use += buffer.second;
    peak = std::max(peak, in_use);
    return buffer;
  }

  void release(std::byte* data, size_t capacity) {
    const std::lock_guard lock(mutex);
    in_use -= capacity;
    idle_bytes += capacity;
    idle.emplace(capacity, data);
  }
};

TensorPool::TensorPool() : state_(std::make_shared<State>()) {}

Tensor TensorPool::allocate(DType dtype, Shape shape) {
  const auto bytes = static_cast<size_t>(shape.elements() * size_of(dtype));
  const size_t rounded = std::max<size_t>((bytes + kAlignment - 1) / kAlignment * kAlignment, kAlignment);
  const auto [data, capacity] = state_->acquire(rounded);
  auto owner = std::shared_ptr<std::byte>(
      data, [state = state_, size = capacity](std::byte* buffer) { state->release(buffer, size); });
  return Tensor(Storage{data, capacity, std::move(owner)}, dtype, shape);
}

size_t TensorPool::bytes_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use;
}

size_t TensorPool::peak_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->peak;
}

size_t TensorPool::bytes_held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use + state_->idle_bytes;
}

void TensorPool::trim() {
  const std::lock_guard lock(state_->mutex);
  state_->drop_idle();
}

}  // namespace jina
