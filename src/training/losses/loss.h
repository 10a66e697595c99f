#pragma once

#include <ATen/core/Tensor.h>

#include <string>
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
/// Any floating dtype; losses compute in at least f32 (in f64 when vectors are f64).
struct LossBatch {
  at::Tensor queries;            // (rows, dimensions)
  at::Tensor positives;          // (rows, dimensions); for graded pairs the second text
  at::Tensor negatives;          // (rows, negatives, dimensions)
  at::Tensor scores;             // (rows) graded similarity; (rows, 1 + negatives) what a teacher gave each document
  at::Tensor labels;             // (rows) int64, the class of the query
  at::Tensor negative_labels;    // (rows, negatives) int64
  at::Tensor teacher_queries;    // (rows, teacher dimensions)
  at::Tensor teacher_positives;  // (rows, teacher dimensions)
  TokenVectors query_tokens;     // of the multi-vector head
  TokenVectors positive_tokens;
  std::vector<at::Tensor> layers;          // (tokens, hidden) after each layer, all texts of the step
  std::vector<at::Tensor> teacher_layers;  // (tokens, hidden), the same tokens
};

/// A loss: a scalar that can be differentiated, a mean over rows where the paper's form is one. It checks what it is
/// given: kInvalidInput names the loss and the column, option or shape that is wrong.
using Loss = at::Tensor (*)(const LossBatch& batch, const LossRecipe& recipe);

/// A number that a recipe may set for a loss.
struct LossOption {
  std::string_view name;
  double otherwise;  ///< when the recipe is silent
  double least;      ///< smallest and largest allowed
  double most;
  bool is_whole;  ///< whole numbers only
  std::string_view meaning;
};

/// One row per loss: its name in recipes, the members of LossBatch that it needs, its options, and where it comes from.
struct LossEntry {
  std::string_view name;
  /// "query positive | negatives": needed | used when there. The words: query positive negatives score label
  /// negative_label teacher_query teacher_positive query_tokens positive_tokens layers teacher_layers.
  std::string_view columns;
  std::vector<LossOption> options;
  std::string_view formula;
  std::string_view source;
  bool has_prefixes;  ///< makes sense on prefixes of the vectors; others see the full width once, whatever the sizes
  Loss compute;
};

struct LossColumns {
  std::vector<std::string_view> needed;
  std::vector<std::string_view> optional;
};

/// All losses, in the order of the documents.
std::vector<LossEntry> all_losses();
/// Error kInvalidInput naming the known ones.
const LossEntry& find_loss(std::string_view name);
LossColumns columns_of(const LossEntry& entry);
/// Name, temperature and options of a recipe's loss, before any step. Error kInvalidInput naming what is known.
void check_loss(const LossRecipe& recipe);
/// The table of docs/losses.md.
std::string losses_table();

/// The sum of `entry` over prefixes of queries, positives and negatives, each normalised again by the loss itself
/// (Kusupati et al. 2022); teacher vectors keep their width. `sizes` empty: the full width only.
/// Error kInvalidInput: a size below 1 or above the width.
at::Tensor matryoshka(const LossEntry& entry, const LossBatch& batch, const LossRecipe& recipe,
                      const std::vector<int64_t>& sizes);

}  // namespace jina
