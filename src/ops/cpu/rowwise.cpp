#include <algorithm>

#include "ops/cpu/cpu_backend.h"
#include "ops/cpu/vector_rows.h"

namespace jina {

namespace {

/// Floats that a tile of a row-wise operation reads: some microseconds of work.
constexpr int64_t kTileElements = 16 << 10;
constexpr int64_t kPoolColumns = 128;

int64_t rows_per_tile(int64_t width) { return std::max<int64_t>(1, kTileElements / std::max<int64_t>(1, width)); }

/// Calls body(row, worker) for each row, some rows per tile.
template <typename Body>
void for_each_row(ThreadPool& threads, const Shape& shape, const Body& body) {
  const int64_t rows = shape[0], per_tile = rows_per_tile(shape[1]);
  threads.parallel_for((rows + per_tile - 1) / per_tile, [&](int64_t tile, int worker) {
    const int64_t end = std::min(rows, (tile + 1) * per_tile);
    for (int64_t row = tile * per_tile; row < end; ++row) body(row, worker);
  });
}

class EmbeddingTable final : public PreparedEmbedding {
 public:
  explicit EmbeddingTable(EmbeddingWeights weights) : weights_(std::move(weights)) {
    const int64_t hidden = weights_.table.width();
    for (LowRank& adapter : weights_.adapters) {
      if (weights_.adapters_transposed) {
        adapter.a = transposed(adapter.a);
        adapter.b = transposed(adapter.b);
      }
      if (adapter.a.rows() != weights_.table.rows() || adapter.b.shape() != Shape{adapter.a.width(), hidden}) {
        fail(ErrorKind::kModelFile, {}, "embedding: adapter is {} and {}, expected ({}, rank) and (rank, {})",
             to_string(adapter.a.shape()), to_string(adapter.b.shape()), weights_.table.rows(), hidden);
      }
      adapter.b = copy_to_f32(adapter.b);
    }
  }

  const EmbeddingWeights& weights() const { return weights_; }

  /// Writes row `id` with what `adapter` adds.
  void write_row(int32_t id, int32_t adapter, float* to) const {
    const int64_t hidden = weights_.table.width();
    widen_row(weights_.table, id, {0, hidden}, to);
    if (adapter == kNoAdapter || weights_.adapters.empty()) return;
    const LowRank& lora = weights_.adapters[static_cast<size_t>(adapter)];
    for (int64_t k = 0; k < lora.a.width(); ++k) {
      float factor = 0;
      widen_row(lora.a, id, {k, k + 1}, &factor);
      add_scaled_row(lora.b.row<float>(k), lora.scale * factor, hidden, to);
    }
  }

 private:
  static Tensor copy_to_f32(const Tensor& tensor) {
    Tensor copy = make_tensor(DType::kF32, tensor.shape());
    for (int64_t row = 0; row < tensor.rows(); ++row) widen_row(tensor, row, {0, tensor.width()}, copy.row<float>(row));
    return copy;
  }

  EmbeddingWeights weights_;  // table and a as they lie in the file, b in f32
};

/// The adapter of packed token `token`.
int32_t adapter_of(const AdapterUse* adapters, int64_t token) {
  if (adapters == nullptr) return kNoAdapter;
  const std::vector<int64_t>& offsets = adapters->layout.offsets;
  const auto row = std::upper_bound(offsets.begin(), offsets.end(), token) - offsets.begin() - 1;
  return adapters->rows.by_row[static_cast<size_t>(row)];
}

}  // namespace

std::unique_ptr<PreparedEmbedding> CpuBackend::prepare(EmbeddingWeights weights) {
  return std::make_unique<EmbeddingTable>(std::move(weights));
}

Tensor CpuBackend::embedding_lookup(const PreparedEmbedding& prepared, std::span<const int32_t> ids,
                                    const AdapterUse* adapters) {
  const auto& table = static_cast<const EmbeddingTable&>(prepared);
  const int64_t vocabulary = table.weights().table.rows(), hidden = table.weights().table.width();
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      fail(ErrorKind::kInvalidInput, {}, "token id {} is outside the embedding table of {} rows", id, vocabulary);
    }
  }
  Tensor out = buffers_.allocate(DType::kF32, {static_cast<int64_t>(ids.size()), hidden});
  for_each_row(threads_, out.shape(), [&](int64_t token, int) {
    table.write_row(ids[static_cast<size_t>(token)], adapter_of(adapters, token), out.row<float>(token));
  });
  return out;
}

Tensor CpuBackend::layer_norm(const NormWeights& weights, Tensor y, const Tensor& residual, DType output) {
  const bool is_in_place = output == DType::kF32 && y.is_sole_owner();
  Tensor out = is_in_place ? y : buffers_.allocate(output, y.shape());
  for_each_row(threads_, y.shape(), [&](int64_t row, int worker) {
    float* sum = output == DType::kF32 ? out.row<float>(row)
                                       : scratch_[static_cast<size_t>(worker)].line.reserve<float>(y.width());
    layer_norm_row(weights, y, residual, row, sum, out);
  });
  return out;
}

Tensor CpuBackend::add(Tensor y, const Tensor& x) {
  for_each_row(threads_, y.shape(),
               [&](int64_t row, int) { add_row(x.row<float>(row), y.width(), y.row<float>(row)); });
  return y;
}

Tensor CpuBackend::mean_pool(const Tensor& hidden, std::span<const TokenSpan> spans) {
  const auto rows = static_cast<int64_t>(spans.size());
  Tensor out = buffers_.allocate(DType::kF32, {rows, hidden.width()});
  const int64_t blocks = (hidden.width() + kPoolColumns - 1) / kPoolColumns;
  threads_.parallel_for(rows * blocks, [&](int64_t tile, int) {
    const int64_t row = tile / blocks, begin = tile % blocks * kPoolColumns;
    const ElementRange columns{begin, std::min(begin + kPoolColumns, hidden.width())};
    mean_rows(hidden, spans[static_cast<size_t>(row)], columns, out.row<float>(row) + begin);
  });
  return out;
}

}  // namespace jina
