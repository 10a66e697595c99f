#include "training/losses/separation.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor separation(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("separation", batch, recipe);
  at::Tensor texts = unit_rows(batch.queries);  // (texts, dimensions)
  at::Tensor labels = batch.labels;             // (texts)
  if (batch.positives.defined()) {
    texts = at::cat({texts, unit_rows(batch.positives)});
    labels = at::cat({labels, labels});
  }
  const int64_t count = texts.size(0);
  const at::Tensor pairs = at::triu_indices(count, count, 1, labels.options());  // (2, pairs)
  const at::Tensor similarities = at::matmul(texts, texts.t())                   // (texts, texts)
                                      .flatten()
                                      .index_select(0, pairs[0] * count + pairs[1]);                // (pairs)
  const at::Tensor is_same = labels.index_select(0, pairs[0]) == labels.index_select(0, pairs[1]);  // (pairs)
  // The sum of products of exponentials is the product of two sums: ln(1 + e^(within + across)).
  const at::Tensor within = at::logsumexp(-similarities.masked_select(is_same) / settings.temperature, {0});
  const at::Tensor across =
      at::logsumexp(similarities.masked_select(is_same.logical_not()) / settings.temperature, {0});
  constexpr double kLinearFrom = 40;  // e^-40 is below the rounding of f64 there
  return at::softplus(within + across, 1, kLinearFrom);
}

}  // namespace jina
