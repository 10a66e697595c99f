#include "ops/cpu/packed_linear.h"

#include <algorithm>

#include "ops/cpu/vector_rows.h"
#include "ops/linear_weights.h"

namespace jina {

namespace {

std::vector<float> padded_bias(const LinearWeights& weights, int64_t begin, int64_t end) {
  const int64_t panels = (end - begin + kPanelColumns - 1) / kPanelColumns;
  std::vector<float> bias(static_cast<size_t>(panels * kPanelColumns));
  if (weights.bias) {
    const Tensor line = weights.bias->reshaped({1, weights.bias->rows()});
    widen_row(line, 0, {begin, end}, bias.data());
  }
  return bias;
}

}  // namespace

PackedLinear::PackedLinear(ThreadPool& threads, LinearWeights weights, const Options& options) {
  check_linear(weights);
  if (weights.weight.rows() % options.parts != 0) {
    fail(ErrorKind::kModelFile, {}, "linear layer: weight is {}, expected (out, in) with out a multiple of {}",
         to_string(weights.weight.shape()), options.parts);
  }
  const int64_t outputs = weights.weight.rows() / options.parts;
  for (int64_t begin = 0; begin < weights.weight.rows(); begin += outputs) {
    const int64_t end = begin + outputs;
    const Tensor rows = weights.weight.rows(begin, end);
    LinearPart part;
    part.weight = options.is_mapped ? PackedMatrix::mapped(rows, {.type = options.type})
                                    : PackedMatrix(threads, rows, {.type = options.type});
    part.bias = padded_bias(weights, begin, end);
    for (const LowRank& adapter : weights.adapters) {
      part.adapter_output.emplace_back(threads, adapter.b.rows(begin, end),
                                       PackedMatrix::Options{.factor = adapter.scale});
    }
    parts_.push_back(std::move(part));
  }
  for (const LowRank& adapter : weights.adapters) {
    const auto& packed = adapter_inputs_.emplace_back(threads, adapter.a, PackedMatrix::Options{.type = options.type});
    low_rank_width_ = std::max(low_rank_width_, packed.panels() * kPanelColumns);
  }
}

}  // namespace jina
