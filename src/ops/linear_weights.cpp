#include "ops/linear_weights.h"

#include "base/error.h"

namespace jina {

void check_linear(const LinearWeights& weights) {
  const Shape& shape = weights.weight.shape();
  if (shape.rank() != 2) {
    fail(ErrorKind::kModelFile, {}, "linear layer: weight is {}, expected (out, in)", to_string(shape));
  }
  if (weights.bias && weights.bias->shape() != Shape{shape[0]}) {
    fail(ErrorKind::kModelFile, {}, "linear layer: bias is {}, expected ({}) for a weight of {}",
         to_string(weights.bias->shape()), shape[0], to_string(shape));
  }
  for (const LowRank& adapter : weights.adapters) {
    const int64_t rank = adapter.a.rows();
    if (adapter.a.shape() != Shape{rank, shape[1]} || adapter.b.shape() != Shape{shape[0], rank}) {
      fail(ErrorKind::kModelFile, {}, "linear layer: adapter is {} and {}, expected (rank, {}) and ({}, rank)",
           to_string(adapter.a.shape()), to_string(adapter.b.shape()), shape[1], shape[0]);
    }
  }
}

}  // namespace jina
