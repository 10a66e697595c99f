#include <ATen/ATen.h>

#include "base/error.h"
#include "training/losses/inputs.h"
#include "training/losses/loss.h"

namespace jina {

namespace {

at::Tensor prefix(const at::Tensor& vectors, int64_t size) {
  return vectors.defined() ? vectors.narrow(-1, 0, size) : vectors;
}

LossBatch cut_batch(const LossBatch& batch, int64_t size) {
  LossBatch cut = batch;
  cut.queries = prefix(batch.queries, size);
  cut.positives = prefix(batch.positives, size);
  cut.negatives = prefix(batch.negatives, size);
  return cut;
}

}  // namespace

at::Tensor matryoshka(const LossEntry& entry, const LossBatch& batch, const LossRecipe& recipe,
                      const std::vector<int64_t>& sizes) {
  if (sizes.empty() || !entry.has_prefixes) return entry.compute(batch, recipe);
  check_inputs(entry.name, batch, recipe);  // at full width: a prefix would hide that widths differ
  const int64_t width = batch.queries.size(1);
  at::Tensor sum;
  for (const int64_t size : sizes) {
    if (size < 1 || size > width) {
      fail(ErrorKind::kInvalidInput, {}, "loss '{}', matryoshka: expected sizes from 1 to {}, found {}", entry.name,
           width, size);
    }
    const at::Tensor part = entry.compute(cut_batch(batch, size), recipe);
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

}  // namespace jina
