#include "training/gradient_sums.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace jina {

namespace {

/// Called by autograd after each part that it adds to the gradient of a leaf.
class PartHook final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit PartHook(std::function<void()> f) : f_(std::move(f)) {}
  void operator()(const at::Tensor& /*leaf*/) override { f_(); }

 private:
  std::function<void()> f_;
};

}  // namespace

GradientSums::GradientSums(const std::vector<at::Tensor>& leaves, Communicator& ranks, int64_t bucket_bytes)
    : ranks_(ranks) {
  for (const at::Tensor& value : leaves) {
    JINA_CHECK(value.is_leaf() && value.requires_grad() && value.is_contiguous());
    const bool is_full = buckets_.empty() || buckets_.back().size * value.element_size() >= bucket_bytes;
    if (is_full) buckets_.emplace_back();
    Bucket& bucket = buckets_.back();
    bucket.leaves.push_back(leaves_.size());
    leaves_.push_back({.value = value, .bucket = buckets_.size() - 1, .begin = bucket.size});
    bucket.size += value.numel();
  }
  order_.resize(buckets_.size());
  std::iota(order_.begin(), order_.end(), size_t{0});
  for (size_t i = 0; i < leaves_.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(leaves_[i].value,
                                                   std::make_unique<PartHook>([this, i] { take_part(i); }));
  }
}

GradientSums::~GradientSums() {
  for (const Leaf& leaf : leaves_) torch::autograd::impl::set_post_acc_grad_hooks(leaf.value, nullptr);
}

void GradientSums::begin() {
  const std::lock_guard lock(mutex_);
  for (Leaf& leaf : leaves_) {
    leaf.parts = leaf.last_part = 0;
    leaf.is_in_bucket = false;
  }
  for (Bucket& bucket : buckets_) bucket.missing = bucket.leaves.size();
  clock_ = 0;
  started_ = 0;
  is_open_ = true;
}

void GradientSums::take_part(size_t index) {
  const std::lock_guard lock(mutex_);
  if (!is_open_) return;
  Leaf& leaf = leaves_[index];
  ++leaf.parts;
  leaf.last_part = ++clock_;
  if (!has_order_ || leaf.parts < leaf.expected) return;
  // One more would be added to a sum under way: a leaf shared by more recomputed layers than in the first step.
  JINA_CHECK(leaf.parts == leaf.expected);
  put_in_bucket(leaf);
  start_next();
}

/// Copies the gradient, which autograd may share with tensors that are still read, and lets the leaf see the copy.
void GradientSums::put_in_bucket(Leaf& leaf) {
  Bucket& bucket = buckets_[leaf.bucket];
  if (!bucket.values.defined()) bucket.values = at::empty({bucket.size}, leaf.value.options());
  const at::Tensor slot = bucket.values.narrow(0, leaf.begin, leaf.value.numel()).view(leaf.value.sizes());
  at::Tensor& gradient = leaf.value.mutable_grad();
  gradient.defined() ? slot.copy_(gradient) : slot.zero_();
  gradient = slot;
  leaf.is_in_bucket = true;
  --bucket.missing;
}

/// Starts the sums of all complete buckets whose turn it is.
void GradientSums::start_next() {
  for (; started_ < order_.size() && buckets_[order_[started_]].missing == 0; ++started_) {
    ranks_.start_sum(buckets_[order_[started_]].values);
  }
}

void GradientSums::finish() {
  {
    const std::lock_guard lock(mutex_);
    JINA_CHECK(is_open_);
    is_open_ = false;
    for (Leaf& leaf : leaves_) {
      if (!leaf.is_in_bucket) put_in_bucket(leaf);
    }
    start_next();
  }
  ranks_.wait();
  if (!has_order_) learn_order();
  for (Bucket& bucket : buckets_) bucket.values.reset();
}

void GradientSums::learn_order() {
  const auto count = static_cast<int64_t>(leaves_.size());
  at::Tensor own = at::empty({count, 2}, at::kLong);  // (leaves, {last part, parts})
  for (int64_t i = 0; i < count; ++i) {
    own[i][0] = leaves_[static_cast<size_t>(i)].last_part;
    own[i][1] = leaves_[static_cast<size_t>(i)].parts;
  }
  const at::Tensor all = ranks_.all_gather(own).view({-1, count, 2});
  const at::Tensor times = all.select(0, 0).select(1, 0).contiguous(), parts = all.amax(0).select(1, 1).contiguous();
  std::vector<int64_t> completed(buckets_.size(), 0);
  for (size_t i = 0; i < leaves_.size(); ++i) {
    const int64_t time = times.const_data_ptr<int64_t>()[i];
    int64_t& bucket = completed[leaves_[i].bucket];
    bucket = std::max(bucket, time == 0 ? std::numeric_limits<int64_t>::max() : time);
    leaves_[i].expected = std::max<int64_t>(1, parts.const_data_ptr<int64_t>()[i]);
  }
  std::ranges::stable_sort(order_, {}, [&](size_t bucket) { return completed[bucket]; });
  has_order_ = true;
}

}  // namespace jina
