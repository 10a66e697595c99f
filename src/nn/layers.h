#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/pass.h"
#include "weights/weights.h"

namespace jina {

/// "weight" (out, in) and "bias" (out) of a scope.
LinearWeights linear_weights(const Weights& scope, int64_t out, int64_t in);
/// The layers "query", "key" and "value" of a scope, (hidden, hidden) each.
std::vector<LinearWeights> query_key_value_weights(const Weights& scope, int64_t hidden);

/// A linear layer in the backend's layout.
class Linear {
 public:
  Linear(Backend& backend, LinearWeights weights) : weights_(backend.prepare(std::move(weights))) {}
  /// Several layers on one input, outputs side by side.
  Linear(Backend& backend, std::vector<LinearWeights> stacked) : weights_(backend.prepare(std::move(stacked))) {}
  /// x: (tokens, in) → (tokens, out)
  Tensor operator()(const Pass& pass, Tensor x, DType output = DType::kF32) const {
    return pass.backend.linear(*weights_, std::move(x), {.output = output, .adapters = pass.adapters});
  }

 private:
  std::unique_ptr<PreparedLinear> weights_;
};

/// LayerNorm with scale ("weight") and shift ("bias") of a scope.
class LayerNorm {
 public:
  LayerNorm(const Weights& scope, int64_t width, double epsilon);
  /// LayerNorm(y + residual): (tokens, width) → the same shape. The residual may be empty.
  Tensor operator()(const Pass& pass, Tensor y, const Tensor& residual = {}, DType output = DType::kF32) const {
    return pass.backend.layer_norm(weights_, std::move(y), residual, output);
  }

 private:
  NormWeights weights_;
};

struct SelfAttentionWeights {
  std::vector<LinearWeights> query_key_value;  // 3 of (hidden, hidden), or one of (3 hidden, hidden)
  LinearWeights output;                        // (hidden, hidden)
  int64_t heads = 0;
};

/// Multi-head self-attention within each row, output projection included, residual not.
class SelfAttention {
 public:
  SelfAttention(Backend& backend, SelfAttentionWeights weights)
      : query_key_value_(backend, std::move(weights.query_key_value)),
        output_(backend, std::move(weights.output)),
        heads_(weights.heads) {}
  /// x: (tokens, hidden) → (tokens, hidden)
  Tensor operator()(const Pass& pass, const Tensor& x) const;

 private:
  Linear query_key_value_;
  Linear output_;
  int64_t heads_;
};

struct NormedSelfAttentionWeights {
  LinearWeights query;  // (hidden, hidden), as the next three
  LinearWeights key;
  LinearWeights value;
  LinearWeights output;
  LayerNorm query_norm;  // over the full width, before the heads are split
  LayerNorm key_norm;
  int64_t heads = 0;
};

/// SelfAttention with a LayerNorm on query and key.
class NormedSelfAttention {
 public:
  NormedSelfAttention(Backend& backend, NormedSelfAttentionWeights weights);
  /// x: (tokens, hidden) → (tokens, hidden)
  Tensor operator()(const Pass& pass, const Tensor& x) const;

 private:
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  LayerNorm query_norm_;
  LayerNorm key_norm_;
  int64_t heads_;
};

/// The two-layer network after attention, gated or not.
class FeedForward {
 public:
  FeedForward(Backend& backend, FeedForwardWeights weights) : weights_(backend.prepare(std::move(weights))) {}
  /// x: (tokens, hidden) → (tokens, hidden)
  Tensor operator()(const Pass& pass, const Tensor& x) const {
    return pass.backend.dropout(pass.backend.feed_forward(*weights_, x, pass.adapters));
  }

 private:
  std::unique_ptr<PreparedFeedForward> weights_;
};

/// One encoder layer with normalisation after each residual sum (Vaswani et al. 2017), as BERT, XLM-RoBERTa and both
/// Jina encoders have it.
struct PostNormLayer {
  SelfAttention attention;
  LayerNorm attention_norm;
  FeedForward feed_forward;
  LayerNorm output_norm;

  /// x: (tokens, hidden) → (tokens, hidden)
  Tensor operator()(const Pass& pass, Tensor x) const {
    const Tensor h = attention_norm(pass, attention(pass, x), x);  // (tokens, hidden)
    x = {};                                                        // the feed-forward's result takes its memory
    return output_norm(pass, feed_forward(pass, h), h);
  }
};

/// An embedding table in the backend's layout.
class EmbeddingTable {
 public:
  EmbeddingTable(Backend& backend, EmbeddingWeights weights) : weights_(backend.prepare(std::move(weights))) {}
  /// ids: (tokens) → (tokens, hidden)
  Tensor operator()(const Pass& pass, std::span<const int32_t> ids) const {
    return pass.backend.embedding_lookup(*weights_, ids, pass.adapters);
  }

 private:
  std::unique_ptr<PreparedEmbedding> weights_;
};

}  // namespace jina
