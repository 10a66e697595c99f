#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "ops/packed.h"
#include "tensor/pool.h"
#include "tensor/tensor.h"

namespace jina {

enum class Activation : uint8_t { kNone, kGelu, kRelu };  ///< kGelu is the exact form with erf

/// One LoRA adapter of a linear layer: y += scale * (x A^T) B^T (Hu et al. 2021, section 4.1).
struct LowRank {
  Tensor a;  // (rank, in)
  Tensor b;  // (out, rank)
  float scale = 1.0F;
};

/// The weights of one linear layer as they lie in the model's files (f32, f16 or bf16).
struct LinearWeights {
  Tensor weight;                  // (out, in)
  std::optional<Tensor> bias;     // (out)
  std::vector<LowRank> adapters;  // by adapter index; empty when the model has none
};

/// How the wide activations of a feed-forward become the input of its second layer.
enum class Gate : uint8_t {
  kNone,        ///< activation(up(x)); up gives (tokens, inner)
  kGateFirst,   ///< activation(g[:, :inner]) * g[:, inner:]; up gives (tokens, 2 inner)  (JinaBERT gated_layers)
  kGateSecond,  ///< g[:, :inner] * activation(g[:, inner:]); up gives (tokens, 2 inner)  (JinaBERT up_gated_layer)
};

struct FeedForwardWeights {
  LinearWeights up;
  LinearWeights down;
  Gate gate = Gate::kNone;
  Activation activation = Activation::kGelu;
};

/// One embedding table with its LoRA adapters, whose roles are swapped against a linear layer: row += scale * A[id] B.
struct EmbeddingWeights {
  Tensor table;                      // (vocabulary, hidden)
  std::vector<LowRank> adapters;     // a: (vocabulary, rank), b: (rank, hidden)
  bool adapters_transposed = false;  ///< both as PEFT stores them: a (rank, vocabulary), b (hidden, rank)
};

struct NormWeights {
  Tensor scale;  // (hidden)
  Tensor shift;  // (hidden)
  float epsilon = 1e-5F;
};

/// Weights in a backend's own layout; made once by Backend::prepare, shared, immutable.
class PreparedLinear {
 public:
  virtual ~PreparedLinear() = default;
};
class PreparedFeedForward {
 public:
  virtual ~PreparedFeedForward() = default;
};
class PreparedEmbedding {
 public:
  virtual ~PreparedEmbedding() = default;
};

/// Which rows use which adapter; absent (nullptr) when no row of the pass uses one.
struct AdapterUse {
  const PackedLayout& layout;
  const RowAdapters& rows;
};

struct LinearOptions {
  Activation activation = Activation::kNone;
  DType output = DType::kF32;            ///< kF32, or the backend's compute_dtype()
  const AdapterUse* adapters = nullptr;  ///< not owned; may be null
};

/// Linear biases instead of positions: score += -slope[h] * |i - j| (Press et al. 2022, symmetric form of JinaBERT).
struct AlibiBias {
  std::span<const float> slopes;  // (heads)
};

/// Rotary angles by position within the row, half-rotated (GPT-NeoX form): pair i is (x[i], x[i + head_dim / 2]).
struct RotaryTables {
  std::span<const float> cosines;  // (longest row or more, head_dim / 2)
  std::span<const float> sines;    // (longest row or more, head_dim / 2)
};

using ScorePositions = std::variant<std::monostate, AlibiBias, RotaryTables>;

struct AttentionOptions {
  int64_t heads = 0;
  float scale = 0;  ///< factor on q k^T, usually 1 / sqrt(head_dim)
  ScorePositions positions;
};

/// Query, key and value of all tokens; views (column ranges) of one tensor or tensors of their own, of one dtype.
struct AttentionInputs {
  Tensor query;  // (tokens, heads * head_dim)
  Tensor key;    // (tokens, heads * head_dim)
  Tensor value;  // (tokens, heads * head_dim)
};

/// The operations that models are written in. All shapes are packed: (tokens, …) with row offsets in a PackedLayout.
/// Values in, values out: operations take tensors by value, callers move what they no longer need, and a backend may
/// then write the result in its place. Results come from the backend's pool. Calls on one backend are not concurrent.
class Backend {
 public:
  virtual ~Backend() = default;

  /// The type in which wide activations (query, key, value, inner feed-forward) are kept: f32, or bf16.
  virtual DType compute_dtype() const = 0;
  virtual TensorPool& buffers() = 0;
  virtual int threads() const = 0;

  /// Several layers on one input as one: their outputs stand side by side. Each keeps its own adapters.
  virtual std::unique_ptr<PreparedLinear> prepare(std::vector<LinearWeights> stacked) = 0;
  std::unique_ptr<PreparedLinear> prepare(LinearWeights weights) {
    std::vector<LinearWeights> one;
    one.push_back(std::move(weights));
    return prepare(std::move(one));
  }
  virtual std::unique_ptr<PreparedFeedForward> prepare(FeedForwardWeights weights) = 0;
  virtual std::unique_ptr<PreparedEmbedding> prepare(EmbeddingWeights weights) = 0;

  /// x W^T + b, then the activation. x: (tokens, in), any row stride, f32 or compute dtype → (tokens, out), of any row
  /// stride: it takes the columns behind x when x is the only handle on its memory and has room there.
  virtual Tensor linear(const PreparedLinear& weights, Tensor x, const LinearOptions& options) = 0;

  /// down(gate(up(x))), in row tiles so that the inner width never exists for all tokens. x: (tokens, hidden) f32 →
  /// same.
  virtual Tensor feed_forward(const PreparedFeedForward& weights, const Tensor& x, const AdapterUse* adapters) = 0;

  /// Rows of the table. ids: one per token → (tokens, hidden) f32.
  virtual Tensor embedding_lookup(const PreparedEmbedding& weights, std::span<const int32_t> ids,
                                  const AdapterUse* adapters) = 0;

  /// LayerNorm(y + residual) over the last dimension; residual may be empty. y, residual: (tokens, hidden) f32 → f32,
  /// or `output`. y and the result may have any row stride.
  virtual Tensor layer_norm(const NormWeights& weights, Tensor y, const Tensor& residual, DType output) = 0;

  /// y + x in place of y; both (tokens, hidden) f32.
  virtual Tensor add(Tensor y, const Tensor& x) = 0;

  /// softmax(scale q k^T + bias) v within each row, all heads; bidirectional. The result takes the query's place when
  /// the inputs hold the only handles on it. → (tokens, heads * head_dim), dtype of the query.
  virtual Tensor attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) = 0;

  /// Mean of each span of tokens. hidden: (tokens, hidden) f32 → (spans, hidden) f32; an empty span gives zeros.
  virtual Tensor mean_pool(const Tensor& hidden, std::span<const TokenSpan> spans) = 0;

  /// Zeros some values and scales the others while a backend trains with dropout; else x itself.
  virtual Tensor dropout(Tensor x) { return x; }

  /// One layer of an encoder. A backend that trains may drop what the layer keeps for its gradient and compute it again
  /// when that is needed (Chen et al. 2016).
  virtual Tensor run_layer(const std::function<Tensor(Tensor)>& layer, Tensor x) { return layer(std::move(x)); }

  /// The values in memory that the processor reads.
  virtual Tensor to_host(const Tensor& x) { return x; }
};

}  // namespace jina
