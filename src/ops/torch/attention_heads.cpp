#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "ops/torch/attention.h"
#include "ops/torch/attention_core.h"

namespace jina {

namespace {

const HeadKernels& kernels_for(at::ScalarType type) {
  const AttentionCore& core = best_attention_core();
  if (type == at::kBFloat16) return core.bf16;
  return type == at::kDouble ? core.f64 : core.f32;
}

/// One head of one row of a tensor of (tokens, heads * head_dim); nothing of an undefined one.
HeadRows rows_of(const at::Tensor& x, int64_t token, int64_t first_column) {
  if (!x.defined()) return {};
  const int64_t size = x.element_size();
  auto* data = static_cast<std::byte*>(x.data_ptr());
  return {data + (token * x.stride(0) + first_column) * size, x.stride(0) * size};
}

/// Calls body for each head of each row, long rows first, on all threads.
class Heads {
 public:
  Heads(const TorchAttention& options, const AttentionTensors& tensors) : options_(options), tensors_(tensors) {
    for (size_t row = 0; row + 1 < options.offsets.size(); ++row) {
      if (length(row) > 0) rows_.push_back(row);
    }
    std::ranges::stable_sort(rows_, [&](size_t a, size_t b) { return length(a) > length(b); });
  }

  void run(bool is_backward) const {
    if (rows_.empty()) return;
    const HeadKernels& kernels = kernels_for(tensors_.query.scalar_type());
    const int64_t width = tensors_.query.size(1) / options_.heads;
    const int64_t bytes = kernels.scratch_bytes(length(rows_.front()), width, is_backward);
    const auto calls = static_cast<int64_t>(rows_.size()) * options_.heads;
    std::atomic<int64_t> next = 0;  // threads take calls in turn: rows differ in length
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
      const at::Tensor scratch = at::empty({bytes}, at::kByte);
      for (int64_t call; (call = next++) < calls;) {
        const HeadCall head = call_of(rows_[static_cast<size_t>(call / options_.heads)], call % options_.heads, width);
        (is_backward ? kernels.backward : kernels.forward)(head, static_cast<std::byte*>(scratch.data_ptr()));
      }
    });
  }

 private:
  int64_t length(size_t row) const { return options_.offsets[row + 1] - options_.offsets[row]; }

  HeadCall call_of(size_t row, int64_t head, int64_t width) const {
    const int64_t begin = options_.offsets[row], column = head * width;
    const auto part = [&](const at::Tensor& x) { return rows_of(x, begin, column); };
    HeadCall call{.length = length(row),
                  .width = width,
                  .scale = options_.scale,
                  .query = part(tensors_.query),
                  .key = part(tensors_.key),
                  .value = part(tensors_.value),
                  .out = part(tensors_.out),
                  .sums = rows_of(tensors_.sums, head, begin).data,
                  .out_gradient = part(tensors_.out_gradient),
                  .query_gradient = part(tensors_.query_gradient),
                  .key_gradient = part(tensors_.key_gradient),
                  .value_gradient = part(tensors_.value_gradient)};
    if (options_.slopes.defined()) call.slope = static_cast<double>(options_.slopes.data_ptr<float>()[head]);
    if (options_.cosines.defined()) {
      call.cosines = options_.cosines.data_ptr<float>();
      call.sines = options_.sines.data_ptr<float>();
    }
    return call;
  }

  const TorchAttention& options_;
  const AttentionTensors& tensors_;
  std::vector<size_t> rows_;
};

}  // namespace

const AttentionCore& best_attention_core() {
#if defined(__x86_64__)
  const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (has_avx512) return kAttentionCoreAvx512;
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) return kAttentionCoreAvx2;
#endif
  return kAttentionCoreBaseline;
}

void attend_heads(const TorchAttention& options, const AttentionTensors& tensors) {
  Heads(options, tensors).run(false);
}

void attend_heads_backward(const TorchAttention& options, const AttentionTensors& tensors) {
  Heads(options, tensors).run(true);
}

}  // namespace jina
