#pragma once

#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "ops/backend.h"
#include "ops/cpu/attention.h"
#include "ops/cpu/worker_scratch.h"

namespace jina {

/// How weights are kept.
enum class PreparePolicy : uint8_t {
  kPacked,  ///< copied once into the kernels' layout, the pages of the file released
  kMapped,  ///< left as stored in the file; panels are packed for each call (models too large to copy, instant start)
};

struct CpuOptions {
  int threads = 1;
  DType compute = DType::kF32;  ///< kF32, or kBF16 where has_fast_bf16()
  PreparePolicy policy = PreparePolicy::kPacked;
};

/// True when the processor multiplies bf16 in hardware (avx512_bf16).
bool has_fast_bf16();

/// The backend of this machine's processor. Error kUnsupported for bf16 without hardware support.
std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options);

/// The class behind make_cpu_backend; each operation is defined in the file of its name.
class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuOptions& options)
      : options_(options), threads_(options.threads), scratch_(static_cast<size_t>(threads_.threads())) {}

  DType compute_dtype() const override { return options_.compute; }
  TensorPool& buffers() override { return buffers_; }
  int threads() const override { return threads_.threads(); }
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

 private:
  CpuOptions options_;
  ThreadPool threads_;
  std::vector<WorkerScratch> scratch_;  // one for each worker
  TensorPool buffers_;
  const AttentionKernels* f32_attention_ = select_attention_kernels(DType::kF32);
  const AttentionKernels* bf16_attention_ = select_attention_kernels(DType::kBF16);
};

}  // namespace jina
