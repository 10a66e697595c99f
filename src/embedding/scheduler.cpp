#include "embedding/scheduler.h"

#include <algorithm>

#include "base/error.h"

namespace jina {

/// A job and how far it is.
struct Scheduler::Waiting {
  Job job;
  std::vector<PooledVectors> pooled{};         // by input
  std::vector<std::vector<int64_t>> counts{};  // tokens that went into each vector so far, by input
  size_t next_input = 0;
  size_t next_sequence = 0;
  int64_t tokens_waiting = 0;
  size_t rows_waiting = 0;
  size_t rows_running = 0;
  std::exception_ptr error{};

  const Sequence& next() const { return (*job.plans)[next_input].sequences[next_sequence]; }

  void advance() {
    tokens_waiting -= static_cast<int64_t>(next().ids.size());
    --rows_waiting;
    if (++next_sequence < (*job.plans)[next_input].sequences.size()) return;
    next_sequence = 0;
    ++next_input;
  }
};

struct Scheduler::PassRow {
  std::shared_ptr<Waiting> waiting;
  size_t input;
  size_t sequence;
};

Scheduler::Scheduler(const SchedulerOptions& options) : options_(options), thread_([this] { run(); }) {}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  thread_.join();
}

void Scheduler::submit(Job job) {
  auto waiting = std::make_shared<Waiting>(Waiting{.job = std::move(job)});
  const auto width = static_cast<size_t>(waiting->job.model->card.dimensions);
  for (const InputPlan& plan : *waiting->job.plans) {
    waiting->pooled.emplace_back(static_cast<size_t>(plan.vectors) * width, 0.0F);
    waiting->counts.emplace_back(static_cast<size_t>(plan.vectors), 0);
    waiting->rows_waiting += plan.sequences.size();
    for (const Sequence& sequence : plan.sequences)
      waiting->tokens_waiting += static_cast<int64_t>(sequence.ids.size());
  }
  if (waiting->rows_waiting == 0) {
    finish(waiting);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (queued_tokens_ > 0 && queued_tokens_ + waiting->tokens_waiting > options_.queue_tokens) {
      fail(ErrorKind::kOverloaded, {}, "the queue is full: {} tokens wait, {} more asked for, {} allowed",
           queued_tokens_, waiting->tokens_waiting, options_.queue_tokens);
    }
    queued_tokens_ += waiting->tokens_waiting;
    queue_.push_back(std::move(waiting));
  }
  has_work_.notify_one();
}

void Scheduler::drop_cancelled() {
  for (auto it = queue_.begin(); it != queue_.end();) {
    Waiting& waiting = **it;
    if (!is_stopping_ && !waiting.job.stop.stop_requested() && !waiting.error) {
      ++it;
      continue;
    }
    if (!waiting.error)
      waiting.error = std::make_exception_ptr(Error(ErrorKind::kCancelled, "cancelled by the caller"));
    queued_tokens_ -= waiting.tokens_waiting;
    finish(*it);
    it = queue_.erase(it);
  }
}

/// Rows for one pass: one from each job of the front job's model in turn, until the budget is full or nothing waits.
std::vector<Scheduler::PassRow> Scheduler::take_rows() {
  std::vector<PassRow> rows;
  const LoadedModel* model = queue_.front()->job.model.get();
  int64_t tokens = 0;
  for (size_t skipped = 0; skipped < queue_.size();) {
    const std::shared_ptr<Waiting> waiting = queue_.front();
    queue_.pop_front();
    const auto length = static_cast<int64_t>(waiting->next().ids.size());
    const bool is_taken =
        waiting->job.model.get() == model && (rows.empty() || tokens + length <= options_.token_budget);
    if (is_taken) {
      rows.push_back({waiting, waiting->next_input, waiting->next_sequence});
      waiting->advance();
      ++waiting->rows_running;
      tokens += length;
    }
    skipped = is_taken ? 0 : skipped + 1;
    if (waiting->rows_waiting > 0) queue_.push_back(waiting);
  }
  queued_tokens_ -= tokens;
  return rows;
}

void Scheduler::run() {
  for (;;) {
    std::vector<PassRow> rows;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      drop_cancelled();
      if (is_stopping_) return;
      if (queue_.empty()) continue;
      rows = take_rows();
    }
    run_pass(rows);
    for (const PassRow& row : rows) --row.waiting->rows_running;
    for (const PassRow& row : rows) {
      if (row.waiting->rows_waiting == 0 && row.waiting->rows_running == 0) finish(row.waiting);
    }
  }
}

void Scheduler::run_pass(const std::vector<PassRow>& rows) {
  const LoadedModel& model = *rows.front().waiting->job.model;
  TokenBatch batch;
  std::vector<TokenSpan> spans;
  for (const PassRow& row : rows) {
    const Sequence& sequence = (*row.waiting->job.plans)[row.input].sequences[row.sequence];
    const int64_t begin = batch.layout.tokens();
    batch.layout.append(static_cast<int64_t>(sequence.ids.size()));
    batch.ids.insert(batch.ids.end(), sequence.ids.begin(), sequence.ids.end());
    batch.adapters.by_row.push_back(sequence.adapter);
    for (const SpanPart& part : sequence.parts) spans.push_back({begin + part.begin, begin + part.end});
  }
  Tensor pooled;  // (spans, hidden)
  try {
    pooled = model.backend->to_host(model.backend->mean_pool(model.encoder->forward(batch, nullptr), spans));
  } catch (...) {
    for (const PassRow& row : rows) row.waiting->error = std::current_exception();
    return;
  }
  const int64_t width = pooled.width();
  int64_t span = 0;
  for (const PassRow& row : rows) {
    for (const SpanPart& part : (*row.waiting->job.plans)[row.input].sequences[row.sequence].parts) {
      // A running mean over the parts of a vector; exact copy when there is only one.
      const int64_t tokens = part.end - part.begin;
      int64_t& count = row.waiting->counts[row.input][static_cast<size_t>(part.vector)];
      count += tokens;
      const float share = static_cast<float>(tokens) / static_cast<float>(count);
      float* target = row.waiting->pooled[row.input].data() + part.vector * width;
      const float* mean = pooled.row<float>(span++);
      for (int64_t i = 0; i < width; ++i) target[i] = share == 1 ? mean[i] : target[i] + share * (mean[i] - target[i]);
    }
  }
}

void Scheduler::finish(const std::shared_ptr<Waiting>& waiting) {
  if (!waiting->job.done) return;
  const auto done = std::exchange(waiting->job.done, nullptr);
  done(std::move(waiting->pooled), waiting->error);
}

}  // namespace jina
