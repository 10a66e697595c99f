#include "ops/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "ops/cpu/vector_rows.h"

namespace jina {

namespace {

constexpr int64_t kBlockSteps = 16;  // steps that are transposed at a time: one cache line of each output

Tensor allocate_bytes(int64_t bytes) {
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  auto owner = std::shared_ptr<std::byte>(static_cast<std::byte*>(operator new (size, std::align_val_t{64})),
                                          [](std::byte* p) { operator delete (p, std::align_val_t{64}); });
  std::byte* data = owner.get();
  return Tensor(Storage{data, size, std::move(owner)}, DType::kU8, {bytes});
}

/// Elements [from, from + count) of one output, in the type of the panels.
void load_line(const Tensor& weight, int64_t output, int64_t from, int64_t count, const PackedMatrix::Options& options,
               std::byte* line) {
  alignas(64) float wide[2 * kBlockSteps];
  const bool is_narrow = options.type == DType::kBF16;
  if (options.factor == 1.0F && weight.dtype() == options.type) {
    const int64_t size = size_of(options.type);
    std::memcpy(line, weight.raw() + (output * weight.row_stride() + from) * size, static_cast<size_t>(count * size));
    return;
  }
  float* values = is_narrow ? wide : reinterpret_cast<float*>(line);
  widen_row(weight, output, {from, from + count}, values);
  if (options.factor != 1.0F) {
    for (int64_t i = 0; i < count; ++i) values[i] *= options.factor;
  }
  if (is_narrow) narrow_row(values, count, reinterpret_cast<BFloat16*>(line));
}

/// Packs outputs [32 index, 32 index + 32), by blocks of 32 outputs x 16 steps that are transposed in the first cache.
void pack_panel(const Tensor& weight, int64_t index, const PackedMatrix::Options& options, uint32_t* panel) {
  const int64_t first = index * kPanelColumns, present = std::min<int64_t>(kPanelColumns, weight.rows() - first);
  const int64_t per_step = options.type == DType::kBF16 ? 2 : 1, inputs = weight.width();
  const int64_t steps = (inputs + per_step - 1) / per_step;
  alignas(64) uint32_t block[kPanelColumns][kBlockSteps] = {};
  for (int64_t step = 0; step < steps; step += kBlockSteps) {
    const int64_t count = std::min(kBlockSteps, steps - step);
    const int64_t from = step * per_step, elements = std::min(count * per_step, inputs - from);
    for (int64_t output = 0; output < present; ++output) {
      if (elements < count * per_step) block[output][count - 1] = 0;
      load_line(weight, first + output, from, elements, options, reinterpret_cast<std::byte*>(block[output]));
    }
    uint32_t* to = panel + step * kPanelColumns;
    for (int64_t s = 0; s < count; ++s) {
      for (int64_t column = 0; column < kPanelColumns; ++column) to[s * kPanelColumns + column] = block[column][s];
    }
  }
}

}  // namespace

PackedMatrix::PackedMatrix(const Tensor& weight, const Options& options)
    : outputs_(weight.rows()), inputs_(weight.width()), options_(options), kernels_(&best_tile_kernels(options.type)) {}

PackedMatrix::PackedMatrix(ThreadPool& threads, const Tensor& weight, const Options& options)
    : PackedMatrix(weight, options) {
  panels_ = allocate_bytes(panels() * panel_bytes());
  threads.parallel_for(panels(), [&](int64_t index, int) {
    pack_panel(weight, index, options_, reinterpret_cast<uint32_t*>(panels_.raw() + index * panel_bytes()));
  });
}

PackedMatrix PackedMatrix::mapped(Tensor weight, const Options& options) {
  PackedMatrix matrix(weight, options);
  matrix.source_ = std::move(weight);
  return matrix;
}

const std::byte* PackedMatrix::panel(int64_t index, ScratchBuffer& scratch) const {
  if (source_.is_empty()) return packed_panel(index);
  auto* packed = scratch.reserve<uint32_t>(steps() * kPanelColumns);
  pack_panel(source_, index, options_, packed);
  return reinterpret_cast<const std::byte*>(packed);
}

}  // namespace jina
