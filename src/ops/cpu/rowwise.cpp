#include <cmath>

#include "ops/cpu/cpu_backend.h"

namespace jina {

namespace {

struct Table final : PreparedEmbedding {
  EmbeddingWeights weights;
};

}  // namespace

std::unique_ptr<PreparedEmbedding> CpuBackend::prepare(EmbeddingWeights weights) {
  auto table = std::make_unique<Table>();
  table->weights = std::move(weights);
  for (LowRank& adapter : table->weights.adapters) adapter.b = to_f32(adapter.b);
  return table;
}

Tensor CpuBackend::embedding_lookup(const PreparedEmbedding& prepared, std::span<const int32_t> ids,
                                    const AdapterUse* adapters) {
  const EmbeddingWeights& w = dynamic_cast<const Table&>(prepared).weights;
  const auto tokens = static_cast<int64_t>(ids.size());
  Tensor out = buffers_.allocate(DType::kF32, {tokens, w.table.width()});
  const auto add_row = [&](int64_t token, int32_t adapter) {
    const int32_t id = ids[static_cast<size_t>(token)];
    const Tensor row = to_f32(w.table.rows(id, id + 1));
    float* target = out.row<float>(token);
    std::copy_n(row.data<float>(), w.table.width(), target);
    if (adapter == kNoAdapter || w.adapters.empty()) return;
    const LowRank& lora = w.adapters[static_cast<size_t>(adapter)];
    const Tensor a = to_f32(lora.a.rows(id, id + 1));
    for (int64_t k = 0; k < a.width(); ++k) {
      const float factor = lora.scale * a.data<float>()[k];
      for (int64_t i = 0; i < w.table.width(); ++i) target[i] += factor * lora.b.row<float>(k)[i];
    }
  };
  if (adapters == nullptr) {
    for (int64_t token = 0; token < tokens; ++token) add_row(token, kNoAdapter);
    return out;
  }
  for (int64_t row = 0; row < adapters->layout.rows(); ++row) {
    for (int64_t i = 0; i < adapters->layout.length(row); ++i) {
      add_row(adapters->layout.begin(row) + i, adapters->rows.by_row[static_cast<size_t>(row)]);
    }
  }
  return out;
}

Tensor CpuBackend::layer_norm(const NormWeights& weights, Tensor y, const Tensor& residual, DType output) {
  const int64_t width = y.width();
  Tensor out = buffers_.allocate(output, {y.rows(), width});
  threads_.parallel_for(y.rows(), [&](int64_t token, int) {
    std::vector<float> sum(static_cast<size_t>(width));
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < width; ++i) {
      sum[static_cast<size_t>(i)] = y.row<float>(token)[i] + (residual.is_empty() ? 0 : residual.row<float>(token)[i]);
      mean += sum[static_cast<size_t>(i)];
    }
    mean /= static_cast<double>(width);
    for (const float value : sum) variance += (value - mean) * (value - mean);
    const double factor = 1 / std::sqrt(variance / static_cast<double>(width) + weights.epsilon);
    for (int64_t i = 0; i < width; ++i) {
      const auto value = static_cast<float>((sum[static_cast<size_t>(i)] - mean) * factor * weights.scale.data<float>()[i] +
                                            weights.shift.data<float>()[i]);
      if (output == DType::kF32) {
        out.row<float>(token)[i] = value;
      } else {
        out.row<BFloat16>(token)[i] = to_bfloat16(value);
      }
    }
  });
  return out;
}

Tensor CpuBackend::add(Tensor y, const Tensor& x) {
  for (int64_t token = 0; token < y.rows(); ++token) {
    for (int64_t i = 0; i < y.width(); ++i) y.row<float>(token)[i] += x.row<float>(token)[i];
  }
  return y;
}

Tensor CpuBackend::convert(Tensor x, DType output) {
  if (x.dtype() == output) return x;
  const Tensor wide = to_f32(x);
  if (output == DType::kF32) return wide;
  Tensor out = buffers_.allocate(output, {x.rows(), x.width()});
  for (int64_t i = 0; i < x.shape().elements(); ++i) out.data<BFloat16>()[i] = to_bfloat16(wide.data<float>()[i]);
  return out;
}

Tensor CpuBackend::mean_pool(const Tensor& hidden, std::span<const TokenSpan> spans) {
  Tensor out = make_tensor(DType::kF32, {static_cast<int64_t>(spans.size()), hidden.width()});
  for (int64_t s = 0; s < out.rows(); ++s) {
    const TokenSpan span = spans[static_cast<size_t>(s)];
    for (int64_t i = 0; i < hidden.width(); ++i) {
      double sum = 0;
      for (int64_t token = span.begin; token < span.end; ++token) sum += hidden.row<float>(token)[i];
      if (span.end > span.begin) out.row<float>(s)[i] = static_cast<float>(sum / static_cast<double>(span.end - span.begin));
    }
  }
  return out;
}

}  // namespace jina
