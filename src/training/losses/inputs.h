#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "training/losses/loss.h"

namespace jina {

/// A recipe's numbers for one loss, defaults put in, every one within its range.
struct LossSettings {
  double temperature;
  std::map<std::string, double, std::less<>> options;

  double at(std::string_view name) const { return options.find(name)->second; }
  bool is_on(std::string_view name) const { return at(name) != 0; }
};

/// Checks options, needed columns and the shapes of all columns that the loss `name` uses; each loss begins with it.
LossSettings check_inputs(std::string_view name, const LossBatch& batch, const LossRecipe& recipe);

/// Error kInvalidInput unless the column is there; for what only some options need.
void need_column(std::string_view loss, std::string_view column, const LossBatch& batch);

/// Error kInvalidInput with both shapes unless `values` has these sizes.
void need_shape(std::string_view loss, std::string_view column, const at::Tensor& values, at::IntArrayRef sizes);

/// Cosines of each query with its positive and its own negatives. → (rows, 1 + negatives)
at::Tensor document_scores(const LossBatch& batch);

/// What the model and its teacher made of the same texts: queries, and below them positives when there.
struct TaughtRows {
  at::Tensor student;  // (texts, dimensions), in at least f32
  at::Tensor teacher;  // (texts, teacher dimensions), of the same dtype, detached
};

/// Error kInvalidInput when positives come without the teacher's, or the reverse.
TaughtRows taught_rows(std::string_view loss, const LossBatch& batch);

/// Error kInvalidInput when the teacher's vectors have another width.
void need_same_width(std::string_view loss, const TaughtRows& rows);

}  // namespace jina
