#include "ops/cpu/attention.h"

#include <algorithm>

#include "ops/cpu/attention_kernels.h"
#include "ops/cpu/cpu_backend.h"

namespace jina {

namespace {

/// One head of one row: the unit that shares packed keys and values.
struct Unit {
  int64_t row;
  int64_t head;
};

/// Multiply-adds below which a tile is not worth handing out: about 20 microseconds.
constexpr int64_t kSmallTile = 1 << 20;
/// A row is spread over all workers when one of its heads is more than this part of each worker's share.
constexpr int64_t kTilesPerWorker = 8;
/// Packed keys and values that rows spread over all workers may hold at once; never less than one head.
constexpr int64_t kPackedBudget = int64_t{16} << 20;

/// The plan of one call: where each unit's data lies, and the loops over it.
class Attention {
 public:
  Attention(const AttentionKernels& kernels, const AttentionInputs& inputs, const Tensor& out,
            const PackedLayout& layout, const AttentionOptions& options)
      : kernels_(kernels), inputs_(inputs), out_(out), layout_(layout), options_(options) {}

  void run(ThreadPool& threads, TensorPool& buffers);

 private:
  int64_t dim() const { return inputs_.query.width() / options_.heads; }
  /// Multiply-adds of one head of a row, roughly: its products and the moving of its data.
  int64_t cost(int64_t row) const { return layout_.length(row) * (layout_.length(row) + 32) * 2 * dim(); }
  AttentionHead describe(Unit unit, std::byte* packed) const;
  void run_whole(ThreadPool& threads, std::span<const Unit> units, int64_t tile_cost);
  void run_spread(ThreadPool& threads, std::span<const Unit> units);
  std::byte* scratch_of(int worker) const { return scratch_.raw() + worker * scratch_bytes_; }

  const AttentionKernels& kernels_;
  const AttentionInputs& inputs_;
  const Tensor& out_;
  const PackedLayout& layout_;
  const AttentionOptions& options_;
  Tensor scratch_;  // of each worker: that of the kernels, then one packed head of a row that is not spread
  Tensor packed_;   // heads of rows that are spread
  int64_t scratch_bytes_ = 0;
};

AttentionHead Attention::describe(Unit unit, std::byte* packed) const {
  const int64_t column = unit.head * dim(), token = layout_.begin(unit.row);
  const auto at = [&](const Tensor& x) { return x.raw() + (token * x.row_stride() + column) * size_of(x.dtype()); };
  AttentionHead head{};
  head.query = at(inputs_.query);
  head.key = at(inputs_.key);
  head.value = at(inputs_.value);
  head.out = at(out_);
  head.query_stride = inputs_.query.row_stride();
  head.key_stride = inputs_.key.row_stride();
  head.value_stride = inputs_.value.row_stride();
  head.out_stride = out_.row_stride();
  head.tokens = layout_.length(unit.row);
  head.dim = dim();
  head.scale = options_.scale;
  if (const auto* alibi = std::get_if<AlibiBias>(&options_.positions)) {
    head.slope = alibi->slopes[static_cast<size_t>(unit.head)];
  } else if (const auto* rotary = std::get_if<RotaryTables>(&options_.positions)) {
    head.cosines = rotary->cosines.data();
    head.sines = rotary->sines.data();
  }
  const bool is_last = unit.head + 1 == options_.heads;
  head.ahead = (is_last ? head.tokens * head.query_stride - column : head.dim) * size_of(inputs_.query.dtype());
  head.packed = packed;
  return head;
}

/// Each tile packs and computes some whole units, one after the other.
void Attention::run_whole(ThreadPool& threads, std::span<const Unit> units, int64_t tile_cost) {
  std::vector<size_t> begins{0};
  int64_t gathered = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    if (gathered >= tile_cost) begins.push_back(i), gathered = 0;
    gathered += cost(units[i].row);
  }
  const auto tiles = static_cast<int64_t>(begins.size());
  begins.push_back(units.size());
  const int64_t own = kernels_.scratch_bytes(dim());
  threads.parallel_for(tiles, [&](int64_t tile, int worker) {
    const auto t = static_cast<size_t>(tile);
    for (const Unit unit : units.subspan(begins[t], begins[t + 1] - begins[t])) {
      const AttentionHead head = describe(unit, scratch_of(worker) + own);
      kernels_.pack(head, 0, head.tokens);
      for (int64_t q = 0; q < head.tokens; q += kernels_.query_block) kernels_.attend(head, q, scratch_of(worker));
    }
  });
}

/// Units of long rows, as many at a time as the budget holds: all workers pack them, then share their blocks of
/// queries.
void Attention::run_spread(ThreadPool& threads, std::span<const Unit> units) {
  std::vector<AttentionHead> heads;
  struct Slice {
    const AttentionHead* head;
    int64_t begin;
  };
  const auto slices_of = [&](int64_t step) {
    std::vector<Slice> slices;
    for (const AttentionHead& head : heads)
      for (int64_t begin = 0; begin < head.tokens; begin += step) slices.push_back({&head, begin});
    return slices;
  };
  for (size_t next = 0; next < units.size();) {
    heads.clear();
    for (int64_t used = 0; next < units.size(); ++next) {
      const int64_t bytes = kernels_.packed_bytes(layout_.length(units[next].row), dim());
      if (used + bytes > static_cast<int64_t>(packed_.bytes())) break;
      heads.push_back(describe(units[next], packed_.raw() + used));
      used += bytes;
    }
    const int64_t step = 4 * kernels_.key_block;
    const std::vector<Slice> keys = slices_of(step), queries = slices_of(kernels_.query_block);
    threads.parallel_for(static_cast<int64_t>(keys.size()), [&](int64_t tile, int) {
      const Slice slice = keys[static_cast<size_t>(tile)];
      kernels_.pack(*slice.head, slice.begin, std::min(slice.begin + step, slice.head->tokens));
    });
    threads.parallel_for(static_cast<int64_t>(queries.size()), [&](int64_t tile, int worker) {
      const Slice slice = queries[static_cast<size_t>(tile)];
      kernels_.attend(*slice.head, slice.begin, scratch_of(worker));
    });
  }
}

void Attention::run(ThreadPool& threads, TensorPool& buffers) {
  int64_t total = 0;
  for (int64_t row = 0; row < layout_.rows(); ++row) total += cost(row) * options_.heads;
  const int64_t share = std::max(total / (threads.threads() * kTilesPerWorker), kSmallTile);
  std::vector<Unit> whole, spread;
  int64_t longest_whole = 0, most_packed = 0, all_packed = 0;
  for (int64_t row = 0; row < layout_.rows(); ++row) {
    const int64_t tokens = layout_.length(row);
    if (tokens == 0) continue;
    const bool is_spread = threads.threads() > 1 && cost(row) > share;
    for (int64_t head = 0; head < options_.heads; ++head) (is_spread ? spread : whole).push_back({row, head});
    if (!is_spread) {
      longest_whole = std::max(longest_whole, tokens);
      continue;
    }
    const int64_t bytes = kernels_.packed_bytes(tokens, dim());
    most_packed = std::max(most_packed, bytes);
    all_packed += bytes * options_.heads;
  }
  const int64_t packed_bytes = longest_whole == 0 ? 0 : kernels_.packed_bytes(longest_whole, dim());
  scratch_bytes_ = kernels_.scratch_bytes(dim()) + packed_bytes;
  scratch_ = buffers.allocate(DType::kU8, {threads.threads() * scratch_bytes_});
  if (!spread.empty()) {
    packed_ = buffers.allocate(DType::kU8, {std::max(most_packed, std::min(all_packed, kPackedBudget))});
    run_spread(threads, spread);
  }
  if (!whole.empty()) run_whole(threads, whole, share);
}

/// The columns of `x` and of `y` share no element, so that writing one leaves the other as it is.
bool are_apart(const Tensor& x, const Tensor& y) {
  if (!x.shares_memory_with(y)) return true;
  if (x.row_stride() != y.row_stride()) return false;
  const int64_t shift = std::abs(x.raw() - y.raw()) / size_of(x.dtype());
  return shift >= x.width() && shift + x.width() <= x.row_stride();
}

/// The query's memory may take the result: nobody outside holds it, and no key or value lies in it.
bool can_replace_query(const AttentionInputs& inputs) {
  const Tensor& query = inputs.query;
  const int64_t own = 1 + query.shares_memory_with(inputs.key) + query.shares_memory_with(inputs.value);
  return query.handles() == own && are_apart(query, inputs.key) && are_apart(query, inputs.value);
}

}  // namespace

const AttentionKernels* select_attention_kernels(DType dtype) {
  if (dtype == DType::kBF16) return has_fast_bf16() ? &kAttentionAvx512Bf16 : nullptr;
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return &kAttentionAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAttentionAvx2;
  return &kAttentionBaseline;
}

void attend(const AttentionKernels& kernels, const AttentionInputs& inputs, const Tensor& out,
            const PackedLayout& layout, const AttentionOptions& options, ThreadPool& threads, TensorPool& buffers) {
  Attention(kernels, inputs, out, layout, options).run(threads, buffers);
}

Tensor CpuBackend::attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) {
  const Tensor& query = inputs.query;
  const DType dtype = query.dtype();
  JINA_CHECK(options.heads > 0 && query.width() % options.heads == 0 && options.scale > 0);
  JINA_CHECK(query.shape() == inputs.key.shape() && query.shape() == inputs.value.shape() &&
             query.rows() == layout.tokens());
  JINA_CHECK(inputs.key.dtype() == dtype && inputs.value.dtype() == dtype);
  const AttentionKernels* kernels = dtype == DType::kBF16 ? bf16_attention_ : f32_attention_;
  JINA_CHECK(kernels != nullptr && (dtype == DType::kF32 || dtype == DType::kBF16));
  const Tensor out = can_replace_query(inputs) ? query : buffers_.allocate(dtype, query.shape());
  attend(*kernels, inputs, out, layout, options, threads_, buffers_);
  return out;
}

}  // namespace jina
