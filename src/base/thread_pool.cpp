#include "base/thread_pool.h"

#include <sched.h>

#include <exception>
#include <mutex>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace jina {

namespace {

/// Loops of one pass follow each other within microseconds; waking a sleeping thread costs more than such a gap. Waiting
/// threads therefore look this often before they sleep: about 20 microseconds, bounded.
constexpr int kLooksBeforeSleep = 600;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Flush-to-zero and denormals-are-zero for the scope: ALiBi tails would otherwise run in microcode, three times slower.
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
  const std::function<void(int64_t, int)>& body;
  int64_t count;
  std::atomic<int64_t> next{0};
  std::atomic<int> working{0};  // workers other than the caller that have not left the loop
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
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int64_t count, const std::function<void(int64_t, int)>& body) {
  Loop loop{body, count};
  const bool is_shared = count > 1 && !workers_.empty();
  if (is_shared) {
    loop.working.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    loop_ = &loop;
    generation_.fetch_add(1);
    generation_.notify_all();
  }
  loop.work(0);
  if (is_shared) {
    int looks = 0;
    for (int left; (left = loop.working.load()) != 0;) {
      if (++looks < kLooksBeforeSleep) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

void ThreadPool::wait_for_loop(uint64_t& seen) {
  for (int look = 0; look < kLooksBeforeSleep; ++look) {
    if (generation_.load() != seen) break;
    relax();
  }
  generation_.wait(seen);
  seen = generation_.load();
}

void ThreadPool::run_worker(int worker) {
  for (uint64_t seen = 0;;) {
    wait_for_loop(seen);
    if (is_stopping_.load()) return;
    Loop& loop = *loop_;
    loop.work(worker);
    loop.working.fetch_sub(1);
  }
}

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace jina
