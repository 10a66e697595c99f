#include <ATen/ATen.h>

#include <algorithm>

#include "ops/torch/attention.h"

namespace jina {

namespace {

/// Rows that share one block of scores, at most.
constexpr int64_t kRowsAtATime = 64;

/// Neighbouring rows of one length.
struct Group {
  int64_t begin;  // first token
  int64_t rows;
  int64_t length;  // tokens of each row
};

std::vector<Group> groups_of(const std::vector<int64_t>& offsets) {
  std::vector<Group> groups;
  for (size_t row = 0; row + 1 < offsets.size(); ++row) {
    const int64_t length = offsets[row + 1] - offsets[row];
    if (length == 0) continue;
    const bool continues = !groups.empty() && groups.back().length == length && groups.back().rows < kRowsAtATime &&
                           groups.back().begin + groups.back().rows * length == offsets[row];
    if (continues) {
      ++groups.back().rows;
    } else {
      groups.push_back({offsets[row], 1, length});
    }
  }
  return groups;
}

/// The rows of a group in the order of a kernel; all share the memory of the whole tensors.
class Rows {
 public:
  Rows(const TorchAttention& options, const Group& group) : options_(options), group_(group) {}

  /// (tokens, heads * head_dim) → (rows, heads, length, head_dim)
  at::Tensor heads(const at::Tensor& x) const {
    return x.narrow(0, group_.begin, group_.rows * group_.length)
        .view({group_.rows, group_.length, options_.heads, x.size(1) / options_.heads})
        .transpose(1, 2);
  }
  /// (heads, tokens) → (rows, heads, length)
  at::Tensor sums(const at::Tensor& x) const {
    return x.narrow(1, group_.begin, group_.rows * group_.length)
        .view({options_.heads, group_.rows, group_.length})
        .transpose(0, 1);
  }
  /// Calls body(begin, count) for each block of queries.
  template <typename Body>
  void for_each_block(const Body& body) const {
    const int64_t row_scores = group_.rows * options_.heads * group_.length;
    const int64_t step = std::clamp<int64_t>(options_.block_elements / row_scores, 1, group_.length);
    for (int64_t begin = 0; begin < group_.length; begin += step) body(begin, std::min(step, group_.length - begin));
  }
  /// Scores of queries from `begin` on: (rows, heads, count, length), f32 or f64
  at::Tensor scores(const at::Tensor& query, const at::Tensor& key, int64_t begin) const {
    const auto wide = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor scores = query.matmul(key.transpose(2, 3)).to(wide) * options_.scale;
    if (!options_.slopes.defined()) return scores;
    const auto places = scores.options();
    const at::Tensor from = at::arange(begin, begin + query.size(2), places).unsqueeze(1);
    const at::Tensor distance = (from - at::arange(group_.length, places)).abs();
    return scores - options_.slopes.to(wide).view({1, -1, 1, 1}) * distance;
  }

 private:
  const TorchAttention& options_;
  const Group& group_;
};

}  // namespace

void attend_unfused(const TorchAttention& options, const AttentionTensors& t) {
  for (const Group& group : groups_of(options.offsets)) {
    const Rows rows(options, group);
    const at::Tensor query = rows.heads(t.query), key = rows.heads(t.key), value = rows.heads(t.value);
    rows.for_each_block([&](int64_t begin, int64_t count) {
      const at::Tensor scores = rows.scores(query.narrow(2, begin, count), key, begin);
      const at::Tensor sums = scores.logsumexp(-1);
      const at::Tensor weights = (scores - sums.unsqueeze(-1)).exp_().to(value.scalar_type());
      rows.heads(t.out).narrow(2, begin, count).copy_(weights.matmul(value));
      rows.sums(t.sums).narrow(2, begin, count).copy_(sums);
    });
  }
}

void attend_unfused_backward(const TorchAttention& options, const AttentionTensors& t) {
  for (const Group& group : groups_of(options.offsets)) {
    const Rows rows(options, group);
    const at::Tensor key = rows.heads(t.key), value = rows.heads(t.value);
    const at::Tensor key_gradient = rows.heads(t.key_gradient), value_gradient = rows.heads(t.value_gradient);
    const auto narrow = value.scalar_type(), wide = t.sums.scalar_type();
    rows.for_each_block([&](int64_t begin, int64_t count) {
      const auto part = [&](const at::Tensor& x) { return rows.heads(x).narrow(2, begin, count); };
      const at::Tensor query = part(t.query), gradient = part(t.out_gradient);
      const at::Tensor sums = rows.sums(t.sums).narrow(2, begin, count).unsqueeze(-1);
      const at::Tensor weights = (rows.scores(query, key, begin) - sums).exp_();  // (rows, heads, count, length)
      const at::Tensor delta = (gradient.to(wide) * part(t.out).to(wide)).sum(-1, true);
      const at::Tensor slopes = gradient.matmul(value.transpose(2, 3)).to(wide);
      const at::Tensor scores = ((slopes - delta) * weights * options.scale).to(narrow);  // their gradient
      const at::Tensor keys = scores.transpose(2, 3).matmul(query);
      const at::Tensor values = weights.to(narrow).transpose(2, 3).matmul(gradient);
      part(t.query_gradient).copy_(scores.matmul(key));
      begin == 0 ? key_gradient.copy_(keys) : key_gradient.add_(keys);
      begin == 0 ? value_gradient.copy_(values) : value_gradient.add_(values);
    });
  }
}

}  // namespace jina
