#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "embedding/loader.h"
#include "embedding/plan.h"

namespace jina {

/// The pooled vectors of one input, full width, not normalised: (vectors, hidden).
using PooledVectors = std::vector<float>;

/// One call's inputs on their way through the model.
struct Job {
  std::shared_ptr<const LoadedModel> model;
  std::shared_ptr<const std::vector<InputPlan>> plans;  // by input
  std::stop_token stop;
  /// Called once, on the executor's thread: with the pooled vectors of each input, or with what went wrong.
  std::function<void(std::vector<PooledVectors>, std::exception_ptr)> done;
};

struct SchedulerOptions {
  int64_t token_budget = 4096;     ///< most tokens of a pass; one longer row makes a pass of its own
  int64_t queue_tokens = 1 << 22;  ///< most tokens waiting; a job beyond it is refused unless the queue is empty
};

/// Runs jobs on one device: waiting rows of different jobs, tasks and lengths share passes under a token budget, taken
/// in turn from each job, so that a short query does not wait for a long list. One thread; one Scheduler serves any
/// number of models.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options);
  /// Fails waiting jobs with kCancelled and joins.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Error kOverloaded, at once, when the queue is full.
  void submit(Job job);

 private:
  struct Waiting;
  struct PassRow;
  void run();
  std::vector<PassRow> take_rows();
  void drop_cancelled();
  void run_pass(const std::vector<PassRow>& rows);
  void finish(const std::shared_ptr<Waiting>& waiting);

  SchedulerOptions options_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<std::shared_ptr<Waiting>> queue_;  // jobs with rows not yet taken, next turn first
  int64_t queued_tokens_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace jina
