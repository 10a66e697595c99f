#include "cli/train_progress.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/model_location.h"

namespace jina::cli {

namespace {

constexpr std::chrono::milliseconds kBetweenDraws{200};
constexpr std::chrono::seconds kBetweenLines{10};
constexpr size_t kRecentSteps = 20;

/// "2:05", "1:02:05": minutes and seconds, hours when there are any.
std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_text(const StepReport& report, double tokens_per_second, double seconds_per_step) {
  std::string text = fmt::format("{} {}/{}  loss {:.4f}", report.stage, report.step, report.steps, report.loss);
  if (tokens_per_second > 0) text += fmt::format("  {:.0f} tokens/s", tokens_per_second);
  const int64_t left = report.overall_steps - report.overall;
  if (left > 0 && seconds_per_step > 0) {
    text += fmt::format("  {} left", clock_text(static_cast<double>(left) * seconds_per_step));
  }
  if (report.memory_bytes > 0) text += "  " + readable_size(report.memory_bytes);
  return text;
}

void TrainProgress::remember(const StepReport& report) {
  if (report.stage != stage_) recent_.clear();  // another stage, another speed
  stage_ = report.stage;
  if (recent_.size() == kRecentSteps) recent_.erase(recent_.begin());
  recent_.emplace_back(report.tokens, report.seconds);
}

bool TrainProgress::is_due(const StepReport& report, Clock::time_point now) const {
  if (!has_written_ || report.step == 1 || report.step == report.steps) return true;
  return is_terminal_ ? now - last_ >= kBetweenDraws : now - last_ >= kBetweenLines;
}

void TrainProgress::step(const StepReport& report, Clock::time_point now) {
  remember(report);
  if (!is_due(report, now)) return;
  has_written_ = true;
  last_ = now;
  double tokens = 0;
  double seconds = 0;
  for (const auto& [step_tokens, step_seconds] : recent_) {
    tokens += static_cast<double>(step_tokens);
    seconds += step_seconds;
  }
  const std::string text =
      progress_text(report, seconds > 0 ? tokens / seconds : 0, seconds / static_cast<double>(recent_.size()));
  write_(is_terminal_ ? "\r" + text + "\x1b[K" : text + "\n");
  is_drawn_ = is_terminal_;
}

void TrainProgress::line(const std::string& text) {
  write_((is_drawn_ ? "\r\x1b[K" : "") + text + "\n");
  is_drawn_ = false;
}

void TrainProgress::finish() {
  if (is_drawn_) write_("\n");
  is_drawn_ = false;
}

}  // namespace jina::cli
