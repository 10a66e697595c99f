#pragma once

#include <vector>

#include "base/thread_pool.h"
#include "ops/cpu/tile_kernels.h"
#include "ops/cpu/worker_scratch.h"
#include "tensor/tensor.h"

namespace jina {

/// A weight of (out, in) as panels of 32 outputs: [panel][step][32] f32, or [panel][step][32][2] bf16 where a step is a
/// pair of inputs; missing outputs and inputs are zero. Packed once, or kept as it lies in the file and packed panel by
/// panel whenever one is asked for.
class PackedMatrix {
 public:
  struct Options {
    DType type = DType::kF32;  // of the panels: f32 or bf16
    float factor = 1.0F;       // multiplies each element
  };

  PackedMatrix() = default;
  /// A packed copy; holds no handle on `weight`, which may be f32, f16 or bf16 with any row stride.
  PackedMatrix(ThreadPool& threads, const Tensor& weight, const Options& options);
  /// A view of `weight` as it lies.
  static PackedMatrix mapped(Tensor weight, const Options& options);

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }
  int64_t panels() const { return (outputs_ + kPanelColumns - 1) / kPanelColumns; }
  /// Steps of depth that a kernel makes over one panel.
  int64_t steps() const { return options_.type == DType::kBF16 ? (inputs_ + 1) / 2 : inputs_; }
  DType type() const { return options_.type; }
  const TileKernels& kernels() const { return *kernels_; }

  /// Panel `index`, packed into `scratch` if the matrix is mapped.
  const std::byte* panel(int64_t index, ScratchBuffer& scratch) const;
  /// Where panel `index` lies; null when mapped.
  const std::byte* packed_panel(int64_t index) const {
    return panels_.is_empty() ? nullptr : panels_.raw() + index * panel_bytes();
  }

 private:
  PackedMatrix(const Tensor& weight, const Options& options);
  int64_t panel_bytes() const { return steps() * kPanelColumns * 4; }

  int64_t outputs_ = 0;
  int64_t inputs_ = 0;
  Options options_;
  const TileKernels* kernels_ = nullptr;
  Tensor panels_;  // (bytes); empty when mapped
  Tensor source_;  // (out, in); empty when packed
};

}  // namespace jina
