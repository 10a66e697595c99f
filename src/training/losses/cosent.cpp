#include "training/losses/cosent.h"

#include <ATen/ATen.h>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

at::Tensor cosent_of(const at::Tensor& similarities, const at::Tensor& scores, double temperature) {
  // In the order of scores, the rows with a lower score than row i are those before its group of equal scores. So the
  // inner sum is a prefix sum, taken as a running logsumexp: exponents reach +-100 at temperature 0.02.
  const auto [sorted_scores, order] = at::sort(scores.detach());
  const at::Tensor logits = similarities.index_select(0, order) / temperature;             // (rows)
  const at::Tensor lower = at::searchsorted(sorted_scores, sorted_scores);                 // (rows) rows scored lower
  const at::Tensor with_lower = at::nonzero(lower).squeeze(1);                             // (rows that have such)
  const at::Tensor prefix = at::logcumsumexp(logits, 0);                                   // (rows)
  const at::Tensor inner = prefix.index_select(0, lower.index_select(0, with_lower) - 1);  // (rows that have such)
  const at::Tensor exponents = inner - logits.index_select(0, with_lower);                 // (rows that have such)
  return at::logsumexp(at::cat({exponents, at::zeros({1}, exponents.options())}), {0});
}

at::Tensor cosent(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("cosent", batch, recipe);
  need_shape("cosent", "score", batch.scores, {batch.queries.size(0)});
  const at::Tensor similarities = (unit_rows(batch.queries) * unit_rows(batch.positives)).sum(1);  // (rows)
  return cosent_of(similarities, batch.scores, settings.temperature);
}

}  // namespace jina
