#include "cli/row_progress.h"

#include <fmt/format.h>

#include <cstdio>

namespace jina::cli {

RowProgress::RowProgress(int64_t total, bool is_terminal) : total_(total), is_terminal_(is_terminal) {}

void RowProgress::add(int64_t rows, int64_t tokens) {
  using std::chrono::duration;
  constexpr double kQuietSeconds = 1;
  constexpr double kPauseSeconds = 0.2;
  if (first_rows_ < 0) first_rows_ = rows;  // a continued run does not count what was done before
  tokens_ += tokens;
  const auto now = Clock::now();
  const double spent = duration<double>(now - start_).count();
  if (!is_terminal_ || spent < kQuietSeconds || duration<double>(now - last_).count() < kPauseSeconds) return;
  last_ = now;
  is_shown_ = true;
  const double speed = static_cast<double>(rows - first_rows_) / spent;
  std::string line = fmt::format("\r{} rows", rows);
  if (total_ > 0)
    line = fmt::format("\r{} of {} rows ({:.0f} %)", rows, total_,
                       100.0 * static_cast<double>(rows) / static_cast<double>(total_));
  line += fmt::format("  {:.0f} rows/s  {:.0f} tokens/s", speed, static_cast<double>(tokens_) / spent);
  if (total_ > 0 && speed > 0) line += fmt::format("  {:.0f} s left", static_cast<double>(total_ - rows) / speed);
  std::fprintf(stderr, "%s\x1b[K", line.c_str());
}

void RowProgress::finish() {
  if (is_shown_) std::fputc('\n', stderr);
  is_shown_ = false;
}

}  // namespace jina::cli
