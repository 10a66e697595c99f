#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace jina::cli {

/// A line on standard error that is drawn over itself: percent, bytes, speed, time left. Appears only after half a
/// second, so that short work shows nothing; draws nothing at all when `is_shown` is false.
class ProgressBar {
 public:
  ProgressBar(std::string label, bool is_shown) : label_(std::move(label)), is_shown_(is_shown) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` of `total` bytes are here.
  void update(int64_t done, int64_t total);
  /// Wipes the line, so that another can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool is_shown_;
  bool is_drawn_ = false;
  int64_t done_at_start_ = -1;  // bytes of an earlier run do not count for the speed
  Clock::time_point start_;
  Clock::time_point last_draw_;
};

}  // namespace jina::cli
