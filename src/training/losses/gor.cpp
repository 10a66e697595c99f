#include "training/losses/gor.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

at::Tensor spread(const at::Tensor& texts, const LossSettings& settings) {
  const at::Tensor units = unit_rows(texts);                                   // (texts, dimensions)
  const at::Tensor similarities = off_diagonal(at::matmul(units, units.t()));  // (texts, texts - 1)
  const at::Tensor excess = similarities.square().mean() - 1.0 / static_cast<double>(units.size(1));
  return settings.at("mean_weight") * similarities.mean().square() +
         settings.at("second_moment_weight") * at::relu(excess);
}

}  // namespace

at::Tensor gor(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("gor", batch, recipe);
  const int64_t rows = batch.queries.size(0);
  if (rows < 2) fail(ErrorKind::kInvalidInput, {}, "loss 'gor' needs at least 2 rows, the batch has {}", rows);
  const at::Tensor queries = spread(batch.queries, settings);
  return batch.positives.defined() ? (queries + spread(batch.positives, settings)) / 2 : queries;
}

}  // namespace jina
