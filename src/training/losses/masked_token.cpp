#include "training/losses/masked_token.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor masked_token_loss(const at::Tensor& logits, const at::Tensor& targets) {
  JINA_CHECK(logits.dim() == 2 && targets.dim() == 1 && logits.size(0) == targets.size(0));
  JINA_CHECK(targets.scalar_type() == at::kLong);
  const at::Tensor values = at_least_f32(logits);  // (positions, vocabulary)
  if (values.size(0) == 0) return values.sum();    // part of the graph, as the mean would be
  return at::cross_entropy_loss(values, targets);
}

}  // namespace jina
