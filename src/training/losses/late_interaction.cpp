#include "training/losses/late_interaction.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "training/losses/info_nce.h"
#include "training/losses/inputs.h"
#include "training/losses/max_sim.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

/// (queries, positives)
at::Tensor late_scores(std::string_view name, const LossBatch& batch) {
  const TokenVectors queries{unit_rows(batch.query_tokens.vectors), batch.query_tokens.offsets};
  const TokenVectors positives{unit_rows(batch.positive_tokens.vectors), batch.positive_tokens.offsets};
  if (queries.offsets.size() != positives.offsets.size()) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}': tokens of {} queries and of {} positives", name,
         std::max<size_t>(queries.offsets.size(), 1) - 1, std::max<size_t>(positives.offsets.size(), 1) - 1);
  }
  return max_sim(queries, positives, name);
}

}  // namespace

at::Tensor late_interaction(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("late_interaction", batch, recipe);
  const at::Tensor scores = late_scores("late_interaction", batch);  // (queries, positives)
  const at::Tensor forward = contrast_rows(scores, {}, settings.temperature);
  return settings.at("directions") == 1 ? forward : forward + contrast_rows(scores.t(), {}, settings.temperature);
}

at::Tensor kl_dense_late(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("kl_dense_late", batch, recipe);
  const at::Tensor late = late_scores("kl_dense_late", batch);  // (queries, positives)
  const at::Tensor dense =
      at::matmul(unit_rows(batch.queries), unit_rows(batch.positives).t());  // (queries, positives)
  need_shape("kl_dense_late", "query_tokens and query", late, dense.sizes());
  return row_divergence((settings.is_on("detach_dense") ? dense.detach() : dense) / settings.temperature,
                        late / settings.temperature);
}

}  // namespace jina
