#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "training/communicator.h"
#include "training/losses/loss.h"
#include "training/student.h"

namespace jina {

/// One step's texts by role, of this rank: queries first, then positives, then negatives row by row.
struct StepTexts {
  TextBatch batch;
  int64_t rows = 0;       ///< queries
  int64_t positives = 0;  ///< 0 or rows
  int64_t negatives = 0;  ///< of each row
};

/// What a step knows of its rows besides the texts; of this rank, absent members are undefined.
struct StepTargets {
  at::Tensor scores;            // (rows)
  at::Tensor labels;            // (rows) int64
  at::Tensor negative_labels;   // (rows, negatives) int64
  at::Tensor teacher_vectors;   // (texts, teacher dimensions), in the order of the texts
  std::vector<int64_t> places;  // tokens of the packed batch whose word is to be guessed
  at::Tensor words;             // (places) int64, the words
};

/// One term of the sum, with the row of the registry that computes it.
struct LossTerm {
  const LossEntry* entry;
  LossRecipe recipe;
  std::vector<int64_t> matryoshka;  ///< empty: full width
};

/// What losses on hidden states need.
struct GradientHooks {
  /// Hidden states of the texts of a chunk by the teacher, layer by layer; empty when no loss wants them.
  std::function<std::vector<at::Tensor>(const TextBatch& chunk)> teacher_layers{};
  /// (places, dimensions) hidden states → (places, vocabulary) logits; empty when the step is not a masked-language
  /// one.
  std::function<at::Tensor(const at::Tensor& states)> word_logits{};
  /// (tokens, dimensions) hidden states → (tokens, width) unit vectors of the multi-vector head; may be empty.
  std::function<at::Tensor(const at::Tensor& states)> token_vectors{};
  /// Called before the last backward pass, the one that reaches all the leaves of the model; may be empty.
  std::function<void()> last_backward{};
};

struct GradientOptions {
  int64_t chunk_tokens = 0;  ///< encode in chunks of so many tokens (GradCache, Gao et al. 2021); 0: all at once
  uint64_t seed = 1;
  uint64_t stream = 0;  ///< of the dropouts, unlike for every step and rank
};

struct StepLoss {
  double total = 0;
  std::map<std::string, double> terms{};
};

/// Adds the gradients of one step's loss to the leaves of the student. The loss is that of the joined batch of all
/// ranks; the gradients are this rank's part of its gradient, so that their sum over ranks is the whole.
///
/// With chunks: every chunk is encoded without its graph, the loss and its gradient by the vectors are computed on all
/// of them, and every chunk is encoded again with its graph (the same dropout) to take that gradient further. Exact up
/// to rounding, memory of one chunk.
StepLoss add_gradients(Student& student, const StepTexts& texts, const StepTargets& targets,
                       const std::vector<LossTerm>& terms, const GradientHooks& hooks, const GradientOptions& options,
                       Communicator& ranks);

}  // namespace jina
