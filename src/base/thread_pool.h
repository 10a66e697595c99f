#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace jina {

/// A fixed set of workers for loops over independent tiles. The caller is worker 0 and works too; tiles are handed out
/// by an atomic counter, so a slow or interrupted core takes fewer of them. One loop at a time per pool; loops do not
/// nest. Denormals are flushed to zero in every worker while it computes.
///
///     ThreadPool pool(2);
///     pool.parallel_for(tiles, [&](int64_t tile, int worker) { … });
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(tile, worker) once for each tile in [0, count); worker is in [0, threads()). Returns when all are done;
  /// the first exception of a body is thrown again here, after the others have finished.
  void parallel_for(int64_t count, const std::function<void(int64_t tile, int worker)>& body);

 private:
  struct Loop;
  void run_worker(int worker);
  void wait_for_loop(uint64_t& seen);

  std::vector<std::thread> workers_;
  std::atomic<uint64_t> generation_{0};  // raised once per loop; workers wait on it
  std::atomic<bool> is_stopping_{false};
  Loop* loop_ = nullptr;
};

/// Processors this process may run on (affinity and container limits honoured).
int available_processors();

}  // namespace jina
