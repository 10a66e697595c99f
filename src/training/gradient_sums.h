#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <mutex>
#include <vector>

#include "training/communicator.h"

namespace jina {

/// Adds up the gradients of leaves over all ranks, beside the backward pass that completes them: a bucket of gradients
/// is on its way as soon as its last one is there.
///
/// What is added to what is a function of the leaves alone, so the sums have the same bits whatever the timing. The
/// order of the buckets is the same on all ranks: that in which rank 0's were complete in the first step, which itself
/// waits for the end of its backward pass. A leaf of several recomputed layers gets its gradient in several parts; how
/// many is learned in the first step too. All ranks call begin() and finish() in the same steps.
///
///     GradientSums sums(leaves, ranks);
///     sums.begin();     // before the backward pass after which the step has all its gradients
///     torch::autograd::backward(…);
///     sums.finish();
class GradientSums {
 public:
  /// A bucket is full with so much: enough that latency does not count, little enough that sums begin early.
  static constexpr int64_t kBucketBytes = 1 << 20;

  GradientSums(const std::vector<at::Tensor>& leaves, Communicator& ranks, int64_t bucket_bytes = kBucketBytes);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  void begin();
  /// Waits for all sums; a leaf without a gradient counts as zeros. Afterwards every leaf has the sum as its gradient.
  void finish();
  /// Buckets on their way, or there, in this step.
  size_t started() const { return started_; }
  size_t buckets() const { return buckets_.size(); }

 private:
  struct Leaf {
    at::Tensor value;
    size_t bucket = 0;
    int64_t begin = 0;      ///< in the bucket
    int64_t expected = 1;   ///< parts of its gradient in the last backward pass
    int64_t parts = 0;      ///< those that have come
    int64_t last_part = 0;  ///< when, on the clock of this step; 0: never
    bool is_in_bucket = false;
  };
  struct Bucket {
    std::vector<size_t> leaves;
    int64_t size = 0;
    size_t missing = 0;
    at::Tensor values;  // (size)
  };

  void take_part(size_t leaf);
  void put_in_bucket(Leaf& leaf);
  void start_next();
  void learn_order();

  Communicator& ranks_;
  std::vector<Leaf> leaves_;
  std::vector<Bucket> buckets_;
  std::vector<size_t> order_;  // of the buckets
  std::mutex mutex_;           // on CUDA the backward pass runs in threads of libtorch
  bool is_open_ = false;       // between begin() and finish()
  bool has_order_ = false;
  int64_t clock_ = 0;
  size_t started_ = 0;
};

}  // namespace jina
