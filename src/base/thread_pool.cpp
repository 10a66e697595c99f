#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <mutex>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace jina {

namespace {

/// Loops of one pass follow each other within microseconds; waking a sleeping thread costs more than such a gap.
/// Waiting threads therefore look this often before they sleep: about 20 microseconds, bounded.
constexpr int kLooksBeforeSleep = 1500;

constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kInside = kOpen - 1;  // mask: workers inside the loop

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Flush-to-zero and denormals-are-zero for the scope: ALiBi tails would otherwise run in microcode, three times
/// slower.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

}  // namespace

struct ThreadPool::Loop {
  LoopBody body;
  int64_t count;
  std::atomic<int64_t> next{0};
  std::mutex error_mutex{};
  std::exception_ptr error{};

  void work(int worker) {
    const FlushDenormals scope;
    try {
      for (int64_t tile; (tile = next.fetch_add(1, std::memory_order_relaxed)) < count;) body(tile, worker);
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next.store(count, std::memory_order_relaxed);
    }
  }
};

ThreadPool::ThreadPool(int threads) {
  for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { run_worker(worker); });
}

ThreadPool::~ThreadPool() {
  is_stopping_.store(true);
  posted_.fetch_add(1);
  posted_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int64_t count, LoopBody body) {
  Loop loop{body, count};
  if (count <= 1 || workers_.empty()) {
    loop.work(0);
    if (loop.error) std::rethrow_exception(loop.error);
    return;
  }
  const uint32_t number = posted_.load(std::memory_order_relaxed) + 1;
  loop_ = &loop;
  gate_.store(uint64_t{number} << 32 | kOpen);
  posted_.store(number);
  posted_.notify_all();
  loop.work(0);

  // Nobody enters from here on; those inside finish their last tile.
  uint32_t emptied = emptied_.load();
  bool is_empty = (gate_.fetch_and(~kOpen) & kInside) == 0;
  for (int look = 0; !is_empty && look < kLooksBeforeSleep; ++look) {
    relax();
    is_empty = (gate_.load() & kInside) == 0;
  }
  while (!is_empty) {
    emptied_.wait(emptied);
    emptied = emptied_.load();
    is_empty = (gate_.load() & kInside) == 0;
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

bool ThreadPool::wait_for_loop(uint32_t& seen) {
  for (int look = 0; look < kLooksBeforeSleep && posted_.load() == seen; ++look) relax();
  posted_.wait(seen);
  seen = posted_.load();
  return !is_stopping_.load();
}

void ThreadPool::run_worker(int worker) {
  for (uint32_t seen = 0; wait_for_loop(seen);) {
    uint64_t gate = gate_.load();
    while ((gate & kOpen) != 0 && !gate_.compare_exchange_weak(gate, gate + 1)) {
    }
    if ((gate & kOpen) == 0) continue;
    loop_->work(worker);
    const uint64_t before = gate_.fetch_sub(1);
    if ((before & (kOpen | kInside)) == 1) {  // closed, and this was the last one inside
      emptied_.fetch_add(1);
      emptied_.notify_all();
    }
  }
}

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace jina
