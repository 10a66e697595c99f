#include "training/losses/info_nce.h"

#include <ATen/ATen.h>

#include <limits>

#include "training/losses/inputs.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

/// Positives, and below them the negatives of all rows. (rows * (1 + negatives), dimensions)
at::Tensor unit_documents(const LossBatch& batch) {
  const at::Tensor positives = unit_rows(batch.positives);
  return batch.negatives.defined() ? at::cat({positives, unit_rows(batch.negatives).flatten(0, 1)}) : positives;
}

/// True where query and document have the same label. (rows, documents)
at::Tensor same_class(const LossBatch& batch) {
  need_column("info_nce", "label", batch);
  at::Tensor document_labels = batch.labels;  // (documents)
  if (batch.negatives.defined()) {
    need_column("info_nce", "negative_label", batch);
    need_shape("info_nce", "negative_label", batch.negative_labels, batch.negatives.sizes().slice(0, 2));
    document_labels = at::cat({batch.labels, batch.negative_labels.flatten()});
  }
  return batch.labels.unsqueeze(1) == document_labels.unsqueeze(0);
}

/// Columns that are no negatives: those of the same class, and those that beat the positive by more than the margin.
/// Undefined when there can be none. (rows, columns)
at::Tensor excluded_columns(const at::Tensor& scores, const at::Tensor& is_same_class, double margin) {
  if (margin >= 2) return is_same_class;  // cosines are no further apart
  const at::Tensor detached = scores.detach();
  const at::Tensor beats = detached > detached.diagonal().unsqueeze(1) + margin;
  return is_same_class.defined() ? at::logical_or(is_same_class, beats) : beats;
}

}  // namespace

at::Tensor contrast_rows(const at::Tensor& scores, const at::Tensor& excluded, double temperature) {
  const int64_t rows = scores.size(0);
  at::Tensor logits = scores / temperature;  // (rows, columns)
  if (excluded.defined()) {
    const at::Tensor is_other = at::logical_not(at::eye(rows, scores.size(1), excluded.options()));
    logits = logits.masked_fill(at::logical_and(excluded, is_other), -std::numeric_limits<double>::infinity());
  }
  return at::cross_entropy_loss(logits, at::arange(rows, scores.options().dtype(at::kLong)));
}

at::Tensor info_nce(const LossBatch& batch, const LossRecipe& recipe) {
  const LossSettings settings = check_inputs("info_nce", batch, recipe);
  const double margin = settings.at("false_negative_margin");
  const at::Tensor scores = at::matmul(unit_rows(batch.queries), unit_documents(batch).t());  // (rows, documents)
  const at::Tensor is_same_class = settings.is_on("class_mask") ? same_class(batch) : at::Tensor();
  const at::Tensor forward =
      contrast_rows(scores, excluded_columns(scores, is_same_class, margin), settings.temperature);
  if (settings.at("directions") == 1) return forward;

  const int64_t rows = scores.size(0);
  const at::Tensor reverse = scores.narrow(1, 0, rows).t();  // (positive, query)
  const at::Tensor reverse_class = is_same_class.defined() ? is_same_class.narrow(1, 0, rows).t() : at::Tensor();
  return forward + contrast_rows(reverse, excluded_columns(reverse, reverse_class, margin), settings.temperature);
}

}  // namespace jina
