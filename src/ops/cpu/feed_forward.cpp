#include <algorithm>

#include "ops/cpu/cpu_backend.h"
#include "ops/cpu/product.h"

namespace jina {

namespace {

/// Tokens whose inner activations exist at a time.
constexpr int64_t kInnerTokens = 512;
/// Elements added to a row of them: rows a power of two apart would share cache sets.
constexpr int64_t kInnerPadding = 32;

class PackedFeedForward final : public PreparedFeedForward {
 public:
  PackedFeedForward(ThreadPool& threads, FeedForwardWeights weights, PackedLinear::Options options)
      : gate(weights.gate),
        activation(weights.activation),
        down(threads, std::move(weights.down), options),
        up(threads, std::move(weights.up), with_parts(options, weights.gate == Gate::kNone ? 1 : 2)) {
    if (up.outputs() != down.inputs()) {
      fail(ErrorKind::kModelFile, {}, "feed-forward: {} inner activations, but the down projection takes {}",
           up.outputs(), down.inputs());
    }
  }

  Gate gate;
  Activation activation;
  PackedLinear down;
  PackedLinear up;

 private:
  static PackedLinear::Options with_parts(PackedLinear::Options options, int parts) {
    options.parts = parts;
    return options;
  }
};

}  // namespace

std::unique_ptr<PreparedFeedForward> CpuBackend::prepare(FeedForwardWeights weights) {
  const bool is_mapped = options_.policy == PreparePolicy::kMapped;
  return std::make_unique<PackedFeedForward>(threads_, std::move(weights),
                                             PackedLinear::Options{.type = options_.compute, .is_mapped = is_mapped});
}

Tensor CpuBackend::feed_forward(const PreparedFeedForward& prepared, const Tensor& x, const AdapterUse* adapters) {
  const auto& layer = static_cast<const PackedFeedForward&>(prepared);
  Tensor out = buffers_.allocate(DType::kF32, {x.rows(), layer.down.outputs()});
  // Equal tiles of at most kInnerTokens.
  const int64_t tiles = (x.rows() + kInnerTokens - 1) / kInnerTokens;
  const int64_t most = tiles == 0 ? 0 : (x.rows() + tiles - 1) / tiles;
  const Tensor inner = buffers_.allocate(compute_dtype(), {most, layer.up.outputs() + kInnerPadding});
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t begin = x.rows() * tile / tiles, end = x.rows() * (tile + 1) / tiles;
    const Tensor activations = inner.rows(0, end - begin).columns(0, layer.up.outputs());  // (tokens, inner)
    multiply(threads_, scratch_,
             {.x = x.rows(begin, end),
              .weights = layer.up,
              .out = activations,
              .activation = layer.activation,
              .gate = layer.gate,
              .adapters = adapters,
              .first_token = begin});
    multiply(threads_, scratch_,
             {.x = activations,
              .weights = layer.down,
              .out = out.rows(begin, end),
              .adapters = adapters,
              .first_token = begin});
  }
  return out;
}

}  // namespace jina
