#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "training/recipe.h"

namespace jina {

/// Token vectors of several texts, packed: text r owns rows [offsets[r], offsets[r + 1]).
struct TokenVectors {
  at::Tensor vectors;            // (tokens, dimensions)
  std::vector<int64_t> offsets;  // (texts + 1)
};

/// What a step gives to its losses. Vectors are as pooled, before normalisation; absent members are undefined tensors.
/// Any floating dtype; losses compute in at least f32.
struct LossBatch {
  at::Tensor queries;            // (rows, dimensions)
  at::Tensor positives;          // (rows, dimensions); for graded pairs the second text
  at::Tensor negatives;          // (rows, negatives, dimensions)
  at::Tensor scores;             // (rows) graded similarity
  at::Tensor labels;             // (rows) int64, the class of the query
  at::Tensor negative_labels;    // (rows, negatives) int64
  at::Tensor teacher_queries;    // (rows, teacher dimensions)
  at::Tensor teacher_positives;  // (rows, teacher dimensions)
  TokenVectors query_tokens;     // of the multi-vector head
  TokenVectors positive_tokens;
  std::vector<at::Tensor> layers;          // (tokens, hidden) after each layer, all texts of the step
  std::vector<at::Tensor> teacher_layers;  // (tokens, hidden), the same tokens
};

/// A loss: a scalar that can be differentiated, a mean over rows where the paper's form is one.
using Loss = at::Tensor (*)(const LossBatch& batch, const LossRecipe& recipe);

/// One row per loss: its name in recipes, the columns of data it needs ("query positive | negatives" : needed | used
/// when there), its options with their defaults, and where it comes from.
struct LossEntry {
  std::string_view name;
  std::string_view columns;
  std::string_view options;
  std::string_view source;
  Loss compute;
};

/// All losses, in the order of the documents.
std::vector<LossEntry> all_losses();
/// Error kInvalidInput naming the known ones.
const LossEntry& find_loss(std::string_view name);

/// The sum of `entry` over prefixes of all vectors, each normalised again by the loss itself (Kusupati et al. 2022).
/// `sizes` empty: the full width only.
at::Tensor matryoshka(const LossEntry& entry, const LossBatch& batch, const LossRecipe& recipe,
                      const std::vector<int64_t>& sizes);

}  // namespace jina
