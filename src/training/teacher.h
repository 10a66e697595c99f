#pragma once

#include <memory>
#include <optional>
#include <string>

#include "training/student.h"
#include "training/vector_cache.h"

namespace jina {

/// A model whose vectors or hidden states another one learns to give. Never trained; its vectors are kept on disk.
class Teacher {
 public:
  struct Options {
    TorchOptions torch{};
    int64_t most_tokens = 0;  ///< of one pass; longer texts are seen in windows. 0: what the model takes
    std::string cache{};      ///< folder for vectors; empty: none are kept
  };
  Teacher(const std::string& directory, const Options& options);

  const ModelCard& card() const { return student_.card(); }
  /// (texts, dimensions) f32 pooled vectors, not normalised, by the base model. A text of more than most_tokens tokens
  /// is cut into windows, each with the first and last (template) token of the text; its vector is the mean over all
  /// tokens.
  at::Tensor vectors(const TextBatch& batch);
  /// (tokens, dimensions) after each layer. Error kInvalidInput for texts longer than it takes at once.
  std::vector<at::Tensor> layers(const TextBatch& batch);

 private:
  at::Tensor compute(const TextBatch& batch);

  Options options_;
  ParameterStore store_;
  Student student_;
  std::optional<VectorCache> cache_;
};

}  // namespace jina
