#pragma once

#include <vector>

#include "ops/backend.h"
#include "ops/cpu/packed_matrix.h"

namespace jina {

/// Outputs [begin, end) of a linear layer in the kernels' layout.
struct LinearPart {
  PackedMatrix weight;                       // (out, in) in the compute type
  std::vector<float> bias;                   // (panels * 32), zero where the layer has none
  std::vector<PackedMatrix> adapter_output;  // scale * b by adapter: (out, rank) in f32
};

/// A linear layer in the kernels' layout: one part, or the two halves of a gated up projection, which are multiplied
/// tile by tile. Adapters are packed under both policies, being small.
class PackedLinear final : public PreparedLinear {
 public:
  struct Options {
    DType type = DType::kF32;
    bool is_mapped = false;
    int parts = 1;
  };

  /// Error kModelFile when shapes do not fit together.
  PackedLinear(ThreadPool& threads, LinearWeights weights, const Options& options);

  int64_t inputs() const { return parts_.front().weight.inputs(); }
  /// Outputs of one part.
  int64_t outputs() const { return parts_.front().weight.outputs(); }
  DType type() const { return parts_.front().weight.type(); }
  const std::vector<LinearPart>& parts() const { return parts_; }
  /// a by adapter: (rank, in) in the compute type; empty when the layer has no adapters.
  const std::vector<PackedMatrix>& adapter_inputs() const { return adapter_inputs_; }
  /// Elements of a row of x A^T: the largest rank in whole panels.
  int64_t low_rank_width() const { return low_rank_width_; }

 private:
  std::vector<LinearPart> parts_;
  std::vector<PackedMatrix> adapter_inputs_;
  int64_t low_rank_width_ = 0;
};

}  // namespace jina
