#include "net/retry.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace jina {
namespace {

using std::chrono::milliseconds;

HttpResponse answer(int status, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

HttpResponse broken(TransferEnd end) {
  HttpResponse response;
  response.end = end;
  return response;
}

TEST(Retry, OnlyPassingTroubleIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_worth_retrying(answer(status))) << status;
  for (const int status : {200, 400, 401, 403, 404, 416, 501})
    EXPECT_FALSE(is_worth_retrying(answer(status))) << status;
  EXPECT_TRUE(is_worth_retrying(broken(TransferEnd::kCut)));
  EXPECT_FALSE(is_worth_retrying(broken(TransferEnd::kUnreachable)));
  EXPECT_FALSE(is_worth_retrying(broken(TransferEnd::kRefused)));
}

TEST(Retry, AttemptsAreCountedAndProgressBringsThemBack) {
  const RetryPolicy policy{.attempts = 3, .first_pause = milliseconds(1)};
  Retry retry(policy, {});
  EXPECT_TRUE(retry.wait_after(answer(503)));
  EXPECT_TRUE(retry.wait_after(answer(503)));
  EXPECT_FALSE(retry.wait_after(answer(503)));
  retry.note_progress();
  EXPECT_TRUE(retry.wait_after(broken(TransferEnd::kCut)));
  EXPECT_FALSE(retry.wait_after(answer(404)));
}

TEST(Retry, WaitsAsLongAsTheServerAsksWithinReason) {
  const RetryPolicy policy{.attempts = 3, .first_pause = milliseconds(1), .longest_requested = milliseconds(1500)};
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(Retry(policy, {}).wait_after(answer(429, {{"retry-after", "1"}})));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(1000));
  EXPECT_FALSE(Retry(policy, {}).wait_after(answer(429, {{"retry-after", "86400"}})));
  EXPECT_TRUE(Retry(policy, {}).wait_after(answer(429, {{"retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"}})));
}

TEST(Retry, WaitingCanBeCancelled) {
  const RetryPolicy policy{.first_pause = std::chrono::hours(1), .longest_pause = std::chrono::hours(1)};
  const std::function<bool()> is_cancelled = [] { return true; };
  Retry retry(policy, is_cancelled);
  EXPECT_THROW(retry.wait_after(answer(503)), Error);
}

}  // namespace
}  // namespace jina
