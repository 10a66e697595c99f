#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "training/library.h"

namespace jina::cli {

/// Where a run stands, on standard error: one line that is drawn over and over on a terminal, else a plain line now and
/// then. Lines are told to `write` as they are to be printed.
///
///     TrainProgress progress(environment.is_error_terminal, [](const std::string& text) { std::fputs(…, stderr); });
///     events.step = [&](const StepReport& report) { progress.step(report, Clock::now()); };
class TrainProgress {
 public:
  using Clock = std::chrono::steady_clock;
  using Write = std::function<void(const std::string& text)>;

  TrainProgress(bool is_terminal, Write write) : is_terminal_(is_terminal), write_(std::move(write)) {}

  void step(const StepReport& report, Clock::time_point now);
  /// A line of its own, above the one that is drawn over.
  void line(const std::string& text);
  /// Ends the line that is drawn over.
  void finish();

 private:
  void remember(const StepReport& report);
  bool is_due(const StepReport& report, Clock::time_point now) const;

  bool is_terminal_;
  Write write_;
  bool is_drawn_ = false;
  bool has_written_ = false;
  Clock::time_point last_;
  std::string stage_;
  std::vector<std::pair<int64_t, double>> recent_;  // tokens and seconds of the last steps of this stage
};

/// "pairs 12/100  loss 1.2345  8,100 tokens/s  2:05 left  1.2 GB": `tokens_per_second` and `seconds_per_step` of late.
std::string progress_text(const StepReport& report, double tokens_per_second, double seconds_per_step);

}  // namespace jina::cli
