#include "ops/cpu/fuse.h"

#include <cstring>

namespace jina {

namespace {

/// The adapters of stacked layers as one: a's stacked, b's on the diagonal of blocks, scales folded into b.
LowRank fuse_adapters(const std::vector<LinearWeights>& parts, size_t adapter) {
  int64_t rank = 0;
  int64_t out = 0;
  for (const LinearWeights& part : parts) {
    rank += part.adapters[adapter].a.rows();
    out += part.weight.rows();
  }
  const int64_t in = parts.front().weight.width();
  LowRank fused{make_tensor(DType::kF32, {rank, in}), make_tensor(DType::kF32, {out, rank}), 1.0F};
  int64_t rank_begin = 0;
  int64_t out_begin = 0;
  for (const LinearWeights& part : parts) {
    const LowRank& own = part.adapters[adapter];
    const Tensor a = to_f32(own.a);
    const Tensor b = to_f32(own.b);
    std::memcpy(fused.a.row<float>(rank_begin), a.raw(), a.bytes());
    for (int64_t o = 0; o < b.rows(); ++o) {
      for (int64_t k = 0; k < b.width(); ++k) {
        fused.b.row<float>(out_begin + o)[rank_begin + k] = own.scale * b.row<float>(o)[k];
      }
    }
    rank_begin += a.rows();
    out_begin += b.rows();
  }
  return fused;
}

}  // namespace

LinearWeights fuse(std::vector<LinearWeights> parts) {
  JINA_CHECK(!parts.empty());
  if (parts.size() == 1) return std::move(parts.front());
  std::vector<Tensor> weights;
  std::vector<Tensor> biases;
  for (const LinearWeights& part : parts) {
    weights.push_back(part.weight);
    if (part.bias) biases.push_back(*part.bias);
  }
  JINA_CHECK(biases.empty() || biases.size() == parts.size());
  LinearWeights fused{.weight = stack_rows(weights), .bias = {}, .adapters = {}};
  if (!biases.empty()) fused.bias = stack_rows(biases);
  for (size_t adapter = 0; adapter < parts.front().adapters.size(); ++adapter) {
    fused.adapters.push_back(fuse_adapters(parts, adapter));
  }
  return fused;
}

}  // namespace jina
