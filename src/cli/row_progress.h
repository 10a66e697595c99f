#pragma once

#include <chrono>
#include <cstdint>

namespace jina::cli {

/// Rows done, speed and time left, on the last line of a terminal; silent elsewhere and for short work.
class RowProgress {
 public:
  /// `total` rows of the input; 0 when not known.
  RowProgress(int64_t total, bool is_terminal);
  /// `rows` of the input are behind us now, `tokens` more went through the model.
  void add(int64_t rows, int64_t tokens);
  /// Ends the line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  int64_t total_;
  bool is_terminal_;
  int64_t first_rows_ = -1;
  int64_t tokens_ = 0;
  bool is_shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace jina::cli
