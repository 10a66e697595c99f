#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Cross entropy of each row's positive, the mean over rows.
/// `scores` (rows, columns), columns >= rows: the positive of row i is column i, all others are negatives.
/// `excluded` (rows, columns) bool, or undefined: columns left out of the denominator; a row's positive always stays.
at::Tensor contrast_rows(const at::Tensor& scores, const at::Tensor& excluded, double temperature);

/// InfoNCE over the other rows of the batch, both ways or one; with negatives the extended form: those of all rows
/// stand in the denominator of query → document, the reverse has none (arXiv 2409.10173, L_triplet).
at::Tensor info_nce(const LossBatch& batch, const LossRecipe& recipe);

}  // namespace jina
