#include "ops/cpu/cpu_backend.h"
#include "ops/cpu/fuse.h"
#include "ops/cpu/product.h"

namespace jina {

std::unique_ptr<PreparedLinear> CpuBackend::prepare(std::vector<LinearWeights> stacked) {
  const bool is_mapped = options_.policy == PreparePolicy::kMapped;
  return std::make_unique<PackedLinear>(threads_, fuse(std::move(stacked)),
                                        PackedLinear::Options{.type = options_.compute, .is_mapped = is_mapped});
}

Tensor CpuBackend::linear(const PreparedLinear& prepared, Tensor x, const LinearOptions& options) {
  const auto& layer = static_cast<const PackedLinear&>(prepared);
  Tensor out = x.free_columns(options.output, layer.outputs());
  if (out.is_empty()) out = buffers_.allocate(options.output, {x.rows(), layer.outputs()});
  multiply(threads_, scratch_,
           {.x = x, .weights = layer, .out = out, .activation = options.activation, .adapters = options.adapters});
  return out;
}

}  // namespace jina
