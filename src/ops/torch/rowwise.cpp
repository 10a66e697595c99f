#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "base/rng.h"
#include "ops/torch/linear.h"
#include "ops/torch/torch_tensor.h"

namespace jina {

namespace {

class TorchEmbedding final : public PreparedEmbedding {
 public:
  struct Adapter {
    at::Tensor a;  // (vocabulary, rank), or (rank, vocabulary)
    at::Tensor b;  // (rank, hidden), or (hidden, rank)
    double scale;
  };

  TorchEmbedding(const TorchBackend& backend, const EmbeddingWeights& weights)
      : table(backend.weight(weights.table, backend.wide_type())), is_transposed(weights.adapters_transposed) {
    for (const LowRank& own : weights.adapters) {
      const auto& [a, b, scale] = own;
      const int64_t rows = is_transposed ? a.width() : a.rows(), rank = is_transposed ? a.rows() : a.width();
      const Shape expected = is_transposed ? Shape{table.size(1), rank} : Shape{rank, table.size(1)};
      if (rows != table.size(0) || b.shape() != expected) {
        fail(ErrorKind::kModelFile, {}, "embedding: adapter is {} and {}, expected ({}, rank) and (rank, {})",
             to_string(a.shape()), to_string(b.shape()), table.size(0), table.size(1));
      }
      adapters.push_back(
          {backend.weight(a, backend.wide_type()), backend.weight(b, backend.wide_type()), static_cast<double>(scale)});
    }
  }

  /// What adapter `index` adds to the rows of `ids`: (ids, hidden)
  at::Tensor delta(const at::Tensor& ids, size_t index) const {
    const Adapter& own = adapters[index];
    if (is_transposed) return at::linear(own.a.index_select(1, ids).t(), own.b * own.scale);
    return at::embedding(own.a, ids).matmul(own.b * own.scale);
  }

  at::Tensor table;  // (vocabulary, hidden)
  bool is_transposed;
  std::vector<Adapter> adapters;
};

/// Zeros and 1 / (1 - p), by the numbers of `key` from `place` on.
at::Tensor dropout_factors(const at::Tensor& x, double p, const DropoutKey& key, uint64_t place) {
  const CounterRng rng(mix_bits(key.seed) ^ key.stream, place);
  at::Tensor factors = at::empty(x.sizes(), at::TensorOptions().dtype(at::kFloat));
  float* values = factors.data_ptr<float>();
  const auto keep = static_cast<float>(1 / (1 - p));
  // Four 16-bit numbers of each output; p in steps of 2^-16.
  const auto threshold = static_cast<uint64_t>(p * 65536);
  at::parallel_for(0, (factors.numel() + 3) / 4, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      uint64_t four = rng.bits(static_cast<uint64_t>(i));
      for (int64_t k = 4 * i; k < std::min(4 * i + 4, factors.numel()); ++k, four >>= 16) {
        values[k] = (four & 0xFFFF) < threshold ? 0 : keep;
      }
    }
  });
  return factors.to(x.device(), x.scalar_type());
}

}  // namespace

std::unique_ptr<PreparedEmbedding> TorchBackend::prepare(EmbeddingWeights weights) {
  return std::make_unique<TorchEmbedding>(*this, weights);
}

Tensor TorchBackend::embedding_lookup(const PreparedEmbedding& prepared, std::span<const int32_t> ids,
                                      const AdapterUse* adapters) {
  const GradScope scope(options_.is_training);
  const auto& layer = static_cast<const TorchEmbedding&>(prepared);
  for (const int32_t id : ids) {
    if (id < 0 || id >= layer.table.size(0)) {
      fail(ErrorKind::kInvalidInput, {}, "token id {} is outside the embedding table of {} rows", id,
           layer.table.size(0));
    }
  }
  const at::Tensor index = at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong).to(options_.device);
  at::Tensor rows = at::embedding(layer.table, index);
  if (adapters != nullptr && !layer.adapters.empty()) {
    for_each_adapter(*adapters, options_.device, [&](size_t adapter, const at::Tensor& tokens) {
      rows = tokens.defined() ? rows.index_add(0, tokens, layer.delta(index.index_select(0, tokens), adapter))
                              : rows + layer.delta(index, adapter);
    });
  }
  return wrap(rows);
}

Tensor TorchBackend::layer_norm(const NormWeights& weights, Tensor y, const Tensor& residual, DType output) {
  const GradScope scope(options_.is_training);
  at::Tensor sum = unwrap(y).to(options_.device, wide_type());
  if (!residual.is_empty()) sum = sum + unwrap(residual).to(options_.device, wide_type());
  const at::Tensor normed = at::layer_norm(sum, {sum.size(1)}, weight(weights.scale, wide_type()),
                                           weight(weights.shift, wide_type()), static_cast<double>(weights.epsilon));
  return wrap(normed.to(output_type(output)));
}

Tensor TorchBackend::add(Tensor y, const Tensor& x) {
  const GradScope scope(options_.is_training);
  return wrap(unwrap(y).to(options_.device, wide_type()) + unwrap(x).to(options_.device, wide_type()));
}

Tensor TorchBackend::mean_pool(const Tensor& hidden, std::span<const TokenSpan> spans) {
  const GradScope scope(options_.is_training);
  const at::Tensor states = unwrap(hidden).to(options_.device, wide_type());
  std::vector<int64_t> tokens, owners;
  std::vector<double> shares;
  for (const TokenSpan& span : spans) {
    for (int64_t token = span.begin; token < span.end; ++token) {
      tokens.push_back(token);
      owners.push_back(static_cast<int64_t>(shares.size()));
    }
    shares.push_back(1.0 / static_cast<double>(std::max<int64_t>(1, span.end - span.begin)));
  }
  const auto move = [&](const at::Tensor& values) { return values.to(options_.device); };
  const at::Tensor picked = states.index_select(0, move(at::tensor(tokens, at::kLong)));
  const at::Tensor sums = at::zeros({static_cast<int64_t>(spans.size()), states.size(1)}, states.options())
                              .index_add(0, move(at::tensor(owners, at::kLong)), picked);
  return wrap(sums * move(at::tensor(shares, at::kDouble)).to(wide_type()).unsqueeze(1));
}

Tensor TorchBackend::dropout(Tensor x) {
  if (!options_.is_training || options_.dropout == 0) return x;
  const GradScope scope(options_.is_training);
  const at::Tensor value = unwrap(x);
  return wrap(value * dropout_factors(value, options_.dropout, dropout_key_, dropouts_++));
}

}  // namespace jina
