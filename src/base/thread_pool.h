#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace jina {

/// A reference to the body of a loop, body(tile, worker): two words, no allocation; the callable must outlive it.
class LoopBody {
 public:
  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, LoopBody>)
      LoopBody(Callable&& callable)  // NOLINT(google-explicit-constructor): parallel_for takes lambdas
      : callable_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* self, int64_t tile, int worker) {
          (*static_cast<std::remove_reference_t<Callable>*>(self))(tile, worker);
        }) {}

  void operator()(int64_t tile, int worker) const { call_(callable_, tile, worker); }

 private:
  void* callable_;
  void (*call_)(void* self, int64_t tile, int worker);
};

/// A fixed set of workers for loops over independent tiles. The caller is worker 0 and works too; tiles are handed out
/// by an atomic counter, so a slow or interrupted core takes fewer of them, and a worker that wakes after the last tile
/// was taken is not waited for. One loop at a time per pool; loops do not nest. Denormals are flushed to zero in every
/// worker while it computes.
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
  void parallel_for(int64_t count, LoopBody body);

 private:
  struct Loop;
  void run_worker(int worker);
  bool wait_for_loop(uint32_t& seen);

  std::vector<std::thread> workers_;
  /// The loop that may be joined: number of the loop << 32 | kOpen | workers inside it (the caller not counted).
  std::atomic<uint64_t> gate_{0};
  std::atomic<uint32_t> posted_{0};   // number of the newest loop; workers sleep on it
  std::atomic<uint32_t> emptied_{0};  // raised by the last worker to leave a closed loop; the caller sleeps on it
  std::atomic<bool> is_stopping_{false};
  Loop* loop_ = nullptr;  // written by the caller while the gate is shut
};

/// Processors this process may run on (affinity and container limits honoured).
int available_processors();

}  // namespace jina
