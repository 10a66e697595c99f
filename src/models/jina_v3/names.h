#pragma once

#include <string>
#include <vector>

#include "models/jina_v3/config.h"
#include "nn/layers.h"
#include "weights/peft.h"
#include "weights/weights.h"

namespace jina {

/// Where jina-embeddings-v3 keeps its tensors, in both published layouts. The original one (XLMRobertaLoRA) stores the
/// five adapters of a weight beside it as parametrizations; the native transformers one keeps plain weights and an
/// adapter folder per task.
class JinaV3Names {
 public:
  /// `adapters` are the opened folders of the native layout, in the order of config.adapters; empty for the original.
  JinaV3Names(Weights root, const JinaV3Config& config, std::vector<PeftAdapter> adapters);

  EmbeddingWeights word_embeddings() const;
  EmbeddingWeights type_embeddings() const;
  Weights embedding_norm() const;
  std::vector<LinearWeights> query_key_value(int64_t layer) const;
  LinearWeights attention_output(int64_t layer) const;
  Weights attention_norm(int64_t layer) const;
  FeedForwardWeights feed_forward(int64_t layer) const;
  Weights output_norm(int64_t layer) const;
  /// Gives back the file pages of what was taken so far.
  void release_taken() const;
  /// Marks what embeddings do not need, then fails when anything else is missing or left over.
  void finish() const;
  /// Values in all tensors taken, adapters included.
  int64_t parameters() const;

 private:
  std::string layer(int64_t index) const;
  LinearWeights linear(const std::string& path, int64_t out, int64_t in) const;
  EmbeddingWeights embedding(const std::string& path, int64_t rows) const;

  Weights root_;
  JinaV3Config config_;
  std::vector<PeftAdapter> adapters_;   // native layout
  std::vector<Weights> adapter_roots_;  // native layout, by adapter
};

}  // namespace jina
