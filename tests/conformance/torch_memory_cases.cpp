#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/pages.h"
#include "base/rng.h"
#include "ops/torch/attention.h"
#include "ops/torch/torch_memory.h"
#include "support/tensor_memory.h"

// Attention of long texts keeps no scores: memory grows with the tokens, forward and backward.

namespace jina::test {
namespace {

constexpr int64_t kWidth = 16;
constexpr int64_t kBlock = 1 << 16;

/// Peak of forward and backward beyond the inputs. One head.
int64_t peak_bytes(int64_t tokens, bool has_slopes, bool is_unfused) {
  std::vector<at::Tensor> inputs;
  for (int i = 0; i < 3; ++i) inputs.push_back(at::rand({tokens, kWidth}).set_requires_grad(true));
  return peak_tensor_bytes([&] {
    attend(inputs[0], inputs[1], inputs[2],
           {.offsets = {0, tokens},
            .heads = 1,
            .scale = 0.25,
            .slopes = has_slopes ? at::tensor({0.0625F}) : at::Tensor(),
            .is_unfused = is_unfused,
            .block_elements = kBlock})
        .sum()
        .backward();
  });
}

TEST(TorchAttentionMemory, grows_with_the_tokens_not_their_squares) {
  at::set_num_threads(1);
  for (const bool has_slopes : {false, true}) {
    for (const bool is_unfused : {false, true}) {
      // The unfused form is the slow one.
      const int64_t tokens = is_unfused ? 2048 : 8192;
      const int64_t half = peak_bytes(tokens / 2, has_slopes, is_unfused);
      const int64_t whole = peak_bytes(tokens, has_slopes, is_unfused);
      EXPECT_LE(whole, 2 * half) << "slopes " << has_slopes << ", unfused " << is_unfused;
      // Result, its gradient and three gradients, and in the kernel eight matrices of one head; blocks, a few at once.
      const int64_t limit = 14 * tokens * kWidth * 4 + 8 * kBlock * 4;
      EXPECT_LE(whole, limit) << "slopes " << has_slopes << ", unfused " << is_unfused;
      EXPECT_LT(limit, tokens * tokens * 4) << "scores of all pairs must not fit into the limit";
      EXPECT_GE(whole, 5 * tokens * kWidth * 4) << "the count must see tensors, or this test shows nothing";
    }
  }
}

/// Page faults of making and leaving a large tensor many times.
int64_t faults_of_tensors() {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < 20; ++i) at::ones({int64_t{4} << 20});
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

/// Runs `body` in a process of its own, since the setting is for the whole process. → whether it returned true
bool is_true_in_child(const std::function<bool()>& body) {
  if (const pid_t child = fork(); child != 0) {
    int status = -1;
    waitpid(child, &status, 0);
    return status == 0;
  }
  recycle_tensor_pages();
  _exit(body() ? 0 : 1);
}

TEST(TorchMemory, of_freed_tensors_is_used_again) {
  at::set_num_threads(1);
  const int64_t fresh = faults_of_tensors();
  EXPECT_TRUE(is_true_in_child([&] {
    faults_of_tensors();
    return faults_of_tensors() < fresh / 10;
  }));
}

/// Tensors of ever other sizes, as the steps of a training run have them: memory stays at what lives at one time.
TEST(TorchMemory, is_bounded_by_what_lives_at_one_time) {
  EXPECT_TRUE(is_true_in_child([] {
    at::set_num_threads(1);
    constexpr int64_t kTensors = 12, kMost = int64_t{4} << 20;  // of four bytes each
    constexpr int64_t kLimit = kTensors * (kMost * 4 + (1 << 19)) + (32 << 20);
    const int64_t before = peak_resident_bytes();
    const CounterRng rng(1, 0);
    std::vector<std::pair<at::Tensor, double>> alive;
    bool is_intact = true;
    for (uint64_t i = 0; i < 1000; ++i) {
      const auto size = static_cast<int64_t>(rng.bits(i) % (kMost - 1000)) + 1000;
      alive.emplace_back(at::full({size}, static_cast<double>(i)), static_cast<double>(i));
      if (static_cast<int64_t>(alive.size()) < kTensors) continue;
      const auto oldest = alive.begin() + static_cast<int64_t>(rng.bits(i + 5000) % kTensors);
      is_intact = is_intact && oldest->first.min().item<double>() == oldest->second &&
                  oldest->first.max().item<double>() == oldest->second;
      alive.erase(oldest);
    }
    return is_intact && peak_resident_bytes() - before < kLimit;
  }));
}

}  // namespace
}  // namespace jina::test
