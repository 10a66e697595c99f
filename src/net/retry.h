#pragma once

#include <chrono>
#include <functional>

#include "net/http_client.h"

namespace jina {

/// How often and after what pauses a request is sent again.
struct RetryPolicy {
  int attempts = 6;                              ///< in a row without progress, the first included
  std::chrono::milliseconds first_pause{1'000};  ///< doubles from attempt to attempt
  std::chrono::milliseconds longest_pause{30'000};
  std::chrono::milliseconds longest_requested{120'000};  ///< a Retry-After beyond this is not waited for
};

/// True for answers that asking again may change: cut connections, 408, 429 and 5xx.
bool is_worth_retrying(const HttpResponse& response);

/// Counts attempts and waits between them.
///
///     Retry retry(policy, is_cancelled);
///     while (true) { answer = send(); if (answer.is_success() || !retry.wait_after(answer)) break; }
class Retry {
 public:
  Retry(const RetryPolicy& policy, std::function<bool()> is_cancelled)
      : policy_(policy), is_cancelled_(std::move(is_cancelled)) {}

  /// False when the answer is final or no attempt is left; else waits (Retry-After honoured) and returns true.
  /// Error kCancelled when asked to stop.
  bool wait_after(const HttpResponse& response);
  /// Bytes arrived: the attempts count from the beginning again.
  void note_progress() { used_ = 0; }

 private:
  void pause(std::chrono::milliseconds time) const;

  RetryPolicy policy_;
  std::function<bool()> is_cancelled_;
  int used_ = 0;
};

}  // namespace jina
