#include "training/losses/relational.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

/// Cosines of each text with all others. (texts, texts - 1)
at::Tensor similarities(const at::Tensor& texts) {
  const at::Tensor units = unit_rows(texts);
  return off_diagonal(at::matmul(units, units.t()));
}

}  // namespace

at::Tensor relational(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("relational", batch, recipe);
  const TaughtRows rows = taught_rows("relational", batch);
  const int64_t texts = rows.student.size(0);
  if (texts < 2)
    fail(ErrorKind::kInvalidInput, {}, "loss 'relational' needs at least 2 texts, the batch has {}", texts);
  return row_divergence(similarities(rows.teacher) / settings.temperature,
                        similarities(rows.student) / settings.temperature);
}

}  // namespace jina
