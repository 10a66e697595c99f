#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "base/error.h"

namespace jina {

namespace {

using std::chrono::milliseconds;

/// Retry-After in its form of seconds; its other form, a date, is rare and left to the usual pause.
std::optional<milliseconds> requested_pause(const HttpResponse& response) {
  const auto header = response.header("retry-after");
  if (!header) return std::nullopt;
  int64_t seconds = 0;
  const auto result = std::from_chars(header->data(), header->data() + header->size(), seconds);
  constexpr int64_t kDay = 86'400;
  if (result.ec != std::errc() || seconds < 0) return std::nullopt;
  return milliseconds(1000 * std::min(seconds, kDay));
}

}  // namespace

bool is_worth_retrying(const HttpResponse& response) {
  if (response.end != TransferEnd::kComplete) return response.end == TransferEnd::kCut;
  return response.status == 408 || response.status == 429 || (response.status >= 500 && response.status != 501);
}

bool Retry::wait_after(const HttpResponse& response) {
  if (!is_worth_retrying(response) || ++used_ >= policy_.attempts) return false;
  milliseconds time = std::min(policy_.longest_pause, policy_.first_pause * (1 << std::min(used_ - 1, 16)));
  if (const auto requested = requested_pause(response)) {
    if (*requested > policy_.longest_requested) return false;
    time = std::max(time, *requested);
  }
  pause(time);
  return true;
}

void Retry::pause(milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (is_cancelled_ && is_cancelled_()) fail(ErrorKind::kCancelled, {}, "stopped while waiting to try again");
    std::this_thread::sleep_for(std::min<milliseconds>(time, milliseconds(50)));
  }
}

}  // namespace jina
