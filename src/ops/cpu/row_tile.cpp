#include "ops/cpu/row_tile.h"

#include <algorithm>
#include <cstring>

namespace jina {

namespace {

constexpr float kZeros[kPanelColumns] = {};

}  // namespace

RowTile::RowTile(const Product& product, int64_t index, ElementRange range, WorkerScratch& scratch)
    : product_(product), layer_(product.weights), range_(range), scratch_(scratch) {
  const Tensor& x = product.x;
  const bool is_odd = layer_.type() == DType::kBF16 && x.width() % 2 != 0;  // kernels read whole pairs
  const bool is_direct = x.dtype() == layer_.type() && !is_odd;
  std::byte* converted = nullptr;
  if (is_direct) {
    a_stride_ = x.row_stride() * size_of(x.dtype());
    a_ = x.raw() + range.begin * a_stride_;
  } else {
    a_stride_ = (layer_.parts().front().weight.steps() * 4 + 127) / 64 * 64;
    a_ = converted = scratch.rows.reserve<std::byte>(rows() * a_stride_);
  }
  const bool is_held = scratch.held_row_tile == index;
  if (!is_held) {
    scratch.held_row_tile = index;
    if (!is_direct) convert_rows(converted);
    find_runs();
  }
  if (!has_delta()) return;
  low_rank_ = scratch.low_rank.reserve<float>(rows() * layer_.low_rank_width());
  if (!is_held) multiply_low_rank();
}

void RowTile::convert_rows(std::byte* to) const {
  const Tensor& x = product_.x;
  for (int64_t row = range_.begin; row < range_.end; ++row, to += a_stride_) {
    auto* values = reinterpret_cast<BFloat16*>(to);
    if (x.dtype() == DType::kBF16) {
      std::memcpy(values, x.row<BFloat16>(row), static_cast<size_t>(x.width()) * sizeof(BFloat16));
    } else {
      narrow_row(x.row<float>(row), x.width(), values);
    }
    if (x.width() % 2 != 0) values[x.width()] = {0};
  }
}

/// Runs of one adapter among the rows; rows without an adapter are in no run.
void RowTile::find_runs() {
  std::vector<AdapterRun>& runs = scratch_.runs;
  runs.clear();
  if (product_.adapters == nullptr || layer_.adapter_inputs().empty()) return;
  const std::vector<int64_t>& offsets = product_.adapters->layout.offsets;
  const int64_t first = product_.first_token + range_.begin, end = product_.first_token + range_.end;
  const auto above = std::upper_bound(offsets.begin(), offsets.end(), first);
  for (auto text = static_cast<size_t>(above - offsets.begin()) - 1; text + 1 < offsets.size(); ++text) {
    const int64_t from = std::max(offsets[text], first) - first, to = std::min(offsets[text + 1], end) - first;
    if (offsets[text] >= end) break;
    const int32_t adapter = product_.adapters->rows.by_row[text];
    if (adapter == kNoAdapter || from == to) continue;
    if (!runs.empty() && runs.back().adapter == adapter && runs.back().end == from) {
      runs.back().end = to;
    } else {
      runs.push_back({from, to, adapter});
    }
  }
}

/// x A^T of each run.
void RowTile::multiply_low_rank() {
  const int64_t width = layer_.low_rank_width();
  for (const AdapterRun& run : scratch_.runs) {
    const PackedMatrix& matrix = layer_.adapter_inputs()[static_cast<size_t>(run.adapter)];
    for (int64_t panel = 0; panel < matrix.panels(); ++panel) {
      multiply_rows(matrix,
                    {.a = row(run.begin),
                     .a_stride = a_stride_,
                     .panel = matrix.panel(panel, scratch_.panels[0]),
                     .depth = matrix.steps(),
                     .start = kZeros,
                     .start_stride = 0,
                     .c = low_rank_ + run.begin * width + panel * kPanelColumns,
                     .c_stride = width * size_of(DType::kF32),
                     .soon = {}},
                    run.end - run.begin);
    }
  }
}

void RowTile::write_delta(ElementRange block, size_t part, int64_t panel, float* c) const {
  const int64_t width = layer_.low_rank_width();
  const float* bias = layer_.parts()[part].bias.data() + panel * kPanelColumns;
  for (int64_t row = 0; row < block.end - block.begin; ++row) {
    std::copy_n(bias, kPanelColumns, c + row * kPanelColumns);
  }
  for (const AdapterRun& run : scratch_.runs) {
    const int64_t from = std::max(run.begin, block.begin), to = std::min(run.end, block.end);
    if (from >= to) continue;
    const PackedMatrix& matrix = layer_.parts()[part].adapter_output[static_cast<size_t>(run.adapter)];
    multiply_rows(matrix,
                  {.a = low_rank_ + from * width,
                   .a_stride = width * size_of(DType::kF32),
                   .panel = matrix.panel(panel, scratch_.panels[0]),
                   .depth = matrix.steps(),
                   .start = c + (from - block.begin) * kPanelColumns,
                   .start_stride = kPanelColumns * size_of(DType::kF32),
                   .c = c + (from - block.begin) * kPanelColumns,
                   .c_stride = kPanelColumns * size_of(DType::kF32),
                   .soon = {}},
                  to - from);
  }
}

void multiply_rows(const PackedMatrix& matrix, TileCall call, int64_t rows) {
  const auto* a = static_cast<const std::byte*>(call.a);
  const auto* start = reinterpret_cast<const std::byte*>(call.start);
  auto* c = reinterpret_cast<std::byte*>(call.c);
  const TileKernels& kernels = matrix.kernels();
  const int64_t blocks = (rows + kernels.rows - 1) / kernels.rows;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = rows * block / blocks, end = rows * (block + 1) / blocks;
    call.a = a + begin * call.a_stride;
    call.start = reinterpret_cast<const float*>(start + begin * call.start_stride);
    call.c = reinterpret_cast<float*>(c + begin * call.c_stride);
    kernels.by_rows[end - begin](call);
  }
}

}  // namespace jina
