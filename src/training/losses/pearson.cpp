#include "training/losses/pearson.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

/// Deviations from the mean, divided by their length. (rows)
at::Tensor standardised(const at::Tensor& values) {
  constexpr double kConstant = 1e-6;  // length of what rounding leaves of constant f32 values
  const at::Tensor deviations = values - values.mean();
  return deviations / at::linalg_vector_norm(deviations).clamp_min(kConstant);
}

}  // namespace

at::Tensor pearson(const LossBatch& batch, const LossRecipe& recipe) {
  check_inputs("pearson", batch, recipe);
  const int64_t rows = batch.queries.size(0);
  need_shape("pearson", "score", batch.scores, {rows});
  if (rows < 2) fail(ErrorKind::kInvalidInput, {}, "loss 'pearson' needs at least 2 rows, the batch has {}", rows);
  const at::Tensor similarities = (unit_rows(batch.queries) * unit_rows(batch.positives)).sum(1);  // (rows)
  const at::Tensor scores = batch.scores.to(similarities.scalar_type());                           // (rows)
  return 1 - (standardised(similarities) * standardised(scores)).sum();
}

}  // namespace jina
