#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "ops/backend.h"

namespace jina {

struct TorchOptions {
  at::Device device = at::kCPU;
  /// Products and wide activations; everything else is f32, or f64 when this is kF64 (for checking gradients).
  DType compute = DType::kF32;
  bool is_training = false;       ///< record the graph of every operation on tensors that want a gradient
  double dropout = 0;             ///< probability that a value of dropout() becomes zero
  bool is_checkpointing = false;  ///< run_layer keeps its input only and computes the rest again
};

/// Where the dropout of one forward pass takes its random numbers from: the same key gives the same zeros, so that a
/// pass can be repeated (GradCache, checkpointing) or resumed.
struct DropoutKey {
  uint64_t seed = 0;
  uint64_t stream = 0;  ///< unlike for every step, rank and chunk
};

/// The operations by libtorch calls: for training, and for GPUs. Never writes in place of its inputs. Tensors that it
/// returns hold torch tensors (torch_tensor.h); weights may be such tensors of the wide type, which then get their
/// gradients. Prepared weights outlive the backward pass when layers are run again for it.
class TorchBackend final : public Backend {
 public:
  explicit TorchBackend(const TorchOptions& options);

  DType compute_dtype() const override { return options_.compute; }
  TensorPool& buffers() override { return buffers_; }
  int threads() const override;
  using Backend::prepare;
  std::unique_ptr<PreparedLinear> prepare(std::vector<LinearWeights> stacked) override;
  std::unique_ptr<PreparedFeedForward> prepare(FeedForwardWeights weights) override;
  std::unique_ptr<PreparedEmbedding> prepare(EmbeddingWeights weights) override;
  Tensor linear(const PreparedLinear& weights, Tensor x, const LinearOptions& options) override;
  Tensor feed_forward(const PreparedFeedForward& weights, const Tensor& x, const AdapterUse* adapters) override;
  Tensor embedding_lookup(const PreparedEmbedding& weights, std::span<const int32_t> ids,
                          const AdapterUse* adapters) override;
  Tensor layer_norm(const NormWeights& weights, Tensor y, const Tensor& residual, DType output) override;
  Tensor add(Tensor y, const Tensor& x) override;
  Tensor attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) override;
  Tensor mean_pool(const Tensor& hidden, std::span<const TokenSpan> spans) override;
  Tensor dropout(Tensor x) override;
  Tensor run_layer(const std::function<Tensor(Tensor)>& layer, Tensor x) override;
  Tensor to_host(const Tensor& x) override;

  const TorchOptions& options() const { return options_; }
  /// Starts a pass: its dropouts draw from `key`, one after the other.
  void begin_pass(const DropoutKey& key);
  /// Switches between training and inference on the same weights.
  void set_training(bool is_training) { options_.is_training = is_training; }

  /// The type of everything but products: f32, or f64.
  at::ScalarType wide_type() const { return options_.compute == DType::kF64 ? at::kDouble : at::kFloat; }
  at::ScalarType compute_type() const;
  /// The type that callers mean by `output`: kF32 is the wide type.
  at::ScalarType output_type(DType output) const;
  /// A weight on the device, in `type`; the graph goes along. Error kInvalidInput for one that wants a gradient and is
  /// not on the device in the wide type: a copy would miss the steps of the optimiser.
  at::Tensor weight(const Tensor& tensor, at::ScalarType type) const;

 private:
  TorchOptions options_;
  TensorPool buffers_;
  DropoutKey dropout_key_;
  uint64_t dropouts_ = 0;  // of this pass so far
};

/// Turns the recording of graphs off for a scope when the backend does not train.
class GradScope {
 public:
  explicit GradScope(bool is_training);
  ~GradScope();
  GradScope(const GradScope&) = delete;
  GradScope& operator=(const GradScope&) = delete;

 private:
  bool was_enabled_;
};

}  // namespace jina
