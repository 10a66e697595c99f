#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/encoder.h"
#include "ops/torch/torch_backend.h"
#include "training/parameters.h"

namespace jina {

/// Texts as token ids, special tokens included.
struct TextBatch {
  std::vector<std::span<const int32_t>> ids;  // by text
  std::vector<int32_t> adapters;              // by text; kNoAdapter: the base weights

  int64_t texts() const { return static_cast<int64_t>(ids.size()); }
  int64_t tokens() const;
  /// The texts [begin, end) of `order`.
  TextBatch part(std::span<const int64_t> order) const;
};

/// What a forward pass is wanted for.
struct Wanted {
  bool pooled = true;
  bool states = false;  ///< the last hidden states of all tokens
  bool layers = false;  ///< … and those after each layer
};

struct Encoded {
  at::Tensor pooled;               // (texts, dimensions)
  at::Tensor states;               // (tokens, dimensions), in the order of the texts
  std::vector<at::Tensor> layers;  // (tokens, dimensions) each
};

/// The model in training: its weights as leaves, on the libtorch backend.
class Student {
 public:
  /// Builds the model of `directory` from the leaves of `store`, which is filled when it is empty.
  Student(std::string directory, ParameterStore& store, const TorchOptions& options);

  const ModelCard& card() const { return model_.card; }
  TorchBackend& backend() { return backend_; }
  /// With or without the graph, as the caller's GradMode and the backend say.
  Encoded encode(const TextBatch& batch, const Wanted& wanted);

 private:
  std::string directory_;
  TorchBackend backend_;
  Model model_;
};

/// Chunks of at most `most_tokens` (0: one chunk), as indices into the batch: texts sorted by length, longest first, so
/// that rows of one length lie side by side; the order is a function of the lengths alone.
std::vector<std::vector<int64_t>> chunks_by_length(const TextBatch& batch, int64_t most_tokens);

}  // namespace jina
