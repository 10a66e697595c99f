#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace jina {
namespace {

TEST(ThreadPool, calls_each_tile_once) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
      pool.parallel_for(count, [&](int64_t tile, int worker) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
        calls[static_cast<size_t>(tile)].fetch_add(1);
      });
      for (const std::atomic<int>& each : calls) EXPECT_EQ(each.load(), 1);
    }
  }
}

TEST(ThreadPool, shows_the_caller_what_the_workers_wrote_in_each_of_many_loops) {
  ThreadPool pool(3);
  std::vector<int64_t> values(64);
  for (int64_t loop = 0; loop < 2000; ++loop) {
    pool.parallel_for(64, [&](int64_t tile, int) { values[static_cast<size_t>(tile)] += tile; });
  }
  for (int64_t tile = 0; tile < 64; ++tile) EXPECT_EQ(values[static_cast<size_t>(tile)], 2000 * tile);
}

TEST(ThreadPool, wakes_sleeping_workers) {
  ThreadPool pool(2);
  for (int loop = 0; loop < 3; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // longer than workers look before they sleep
    std::atomic<bool> was_helped{false};
    // The caller's tile ends only when a worker has taken the other one.
    pool.parallel_for(2, [&](int64_t, int worker) {
      if (worker != 0) {
        was_helped.store(true);
        was_helped.notify_all();
      }
      was_helped.wait(false);
    });
    EXPECT_TRUE(was_helped.load());
  }
}

TEST(ThreadPool, does_not_wait_for_a_worker_that_never_came) {
  ThreadPool pool(8);  // more than there are processors: most sleep through short loops
  std::atomic<int64_t> sum{0};
  for (int64_t loop = 0; loop < 3000; ++loop) {
    pool.parallel_for(2, [&](int64_t tile, int) { sum.fetch_add(tile + 1); });
  }
  EXPECT_EQ(sum.load(), 9000);
}

TEST(ThreadPool, throws_the_exception_of_a_tile_and_goes_on_working) {
  ThreadPool pool(3);
  for (int loop = 0; loop < 50; ++loop) {
    EXPECT_THROW(pool.parallel_for(100,
                                   [](int64_t tile, int) {
                                     if (tile == 40) throw std::runtime_error("tile");
                                   }),
                 std::runtime_error);
    std::atomic<int> calls{0};
    pool.parallel_for(10, [&](int64_t, int) { calls.fetch_add(1); });
    EXPECT_EQ(calls.load(), 10);
  }
}

TEST(ThreadPool, flushes_denormals_in_tiles_and_not_outside) {
  ThreadPool pool(2);
  const volatile float tiny = 1e-38F, half = 0.01F;
  std::atomic<int> kept{0};
  pool.parallel_for(16, [&](int64_t, int) { kept.fetch_add(tiny * half != 0.0F ? 1 : 0); });
#if defined(__x86_64__)
  EXPECT_EQ(kept.load(), 0);
#endif
  EXPECT_NE(tiny * half, 0.0F);
}

TEST(ThreadPool, has_at_least_one_processor) { EXPECT_GE(available_processors(), 1); }

}  // namespace
}  // namespace jina
