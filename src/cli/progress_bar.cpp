#include "cli/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/model_location.h"

namespace jina::cli {

namespace {

constexpr std::chrono::milliseconds kFirstDraw{500};
constexpr std::chrono::milliseconds kBetweenDraws{100};
constexpr int kCells = 24;

}  // namespace

void ProgressBar::update(int64_t done, int64_t total) {
  if (!is_shown_) return;
  const Clock::time_point now = Clock::now();
  if (done_at_start_ < 0) {
    done_at_start_ = done;
    start_ = last_draw_ = now;
  }
  if (now - start_ < kFirstDraw || now - last_draw_ < kBetweenDraws) return;
  last_draw_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double speed = std::max(0.0, static_cast<double>(done - done_at_start_) / seconds);
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0.0;
  const int filled = static_cast<int>(share * kCells);
  std::string line = fmt::format("\r{} [{}{}] {:3.0f}%  {} of {}  {}/s", label_, std::string(filled, '='),
                                 std::string(kCells - filled, ' '), std::floor(share * 100), readable_size(done),
                                 readable_size(total), readable_size(static_cast<int64_t>(speed)));
  if (speed > 0 && total > done) {
    const auto left = static_cast<int64_t>(static_cast<double>(total - done) / speed);
    line += fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  std::fputs((line + "\x1b[K").c_str(), stderr);
  is_drawn_ = true;
}

void ProgressBar::clear() {
  if (is_drawn_) std::fputs("\r\x1b[K", stderr);
  is_drawn_ = false;
}

}  // namespace jina::cli
