#include <gtest/gtest.h>

#include <algorithm>

#include "models/encoder.h"
#include "ops/cpu/attention_kernels.h"
#include "ops/cpu/cpu_backend.h"
#include "support/temporary_directory.h"
#include "weights/initialiser.h"

// The most bytes of intermediate tensors that one pass holds at once, as docs/performance.md states it ("Memory").
namespace jina {
namespace {

constexpr int64_t kHidden = 256;
constexpr int64_t kHeads = 8;
constexpr int64_t kInner = 512;

constexpr const char* kShapes[] = {
    R"("model_type": "bert", "position_embedding_type": "absolute")",
    R"("model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu")",
    R"("model_type": "xlm-roberta", "position_embedding_type": "rotary")",
};

/// Random weights whose layers have norms on query and key.
class NormedSource final : public WeightSource {
 public:
  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    return initialiser_->find(name, shape);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (int i = 0; i < 3; ++i) {
      for (const char* norm : {"layer_norm_k", "layer_norm_q"}) {
        for (const char* part : {"bias", "weight"}) {
          names.push_back(fmt::format("encoder.layer.{}.attention.self.{}.{}", i, norm, part));
        }
      }
    }
    return names;
  }
  const std::string& where() const override { return initialiser_->where(); }
  void release(const Tensor& tensor) override { initialiser_->release(tensor); }

 private:
  std::shared_ptr<WeightSource> initialiser_ = make_initialiser(1, 0.02F, DType::kF32);
};

size_t peak_of_pass(const char* shape, int64_t tokens, DType compute,
                    std::shared_ptr<WeightSource> weights = make_initialiser(1, 0.02F, DType::kF32)) {
  const test::TemporaryDirectory directory;
  directory.write("config.json", std::string("{") + shape +
                                     R"(, "layer_norm_eps": 1e-5, "type_vocab_size": 1, "vocab_size": 100,
        "max_position_embeddings": 8194, "hidden_size": 256, "num_hidden_layers": 3, "num_attention_heads": 8,
        "intermediate_size": 512})");
  const ModelDirectory files = ModelDirectory::open(directory.path());
  const auto backend = make_cpu_backend({.threads = 1, .compute = compute});
  const Model model = build_model({files, std::move(weights), *backend});
  TokenBatch batch;
  batch.layout.append(tokens);
  batch.ids.assign(static_cast<size_t>(tokens), 5);
  batch.adapters.by_row = {kNoAdapter};
  model.encoder->forward(batch, nullptr);
  EXPECT_EQ(backend->buffers().bytes_in_use(), 0U);  // nothing is left over
  return backend->buffers().peak_bytes();
}

/// What attention needs beside query, key and value, for one row on one worker.
int64_t attention_bytes(int64_t tokens, DType compute) {
  const AttentionKernels& kernels = *select_attention_kernels(compute);
  const int64_t dim = kHidden / kHeads;
  return kernels.scratch_bytes(dim) + kernels.packed_bytes(tokens, dim);
}

/// One row of `tokens` on one worker: the layer's input in f32; query, key and value, in whose place everything up to
/// the feed-forward's input is computed; and what attention needs beside them, or the inner activations of one tile of
/// rows.
size_t formula(int64_t tokens, DType compute) {
  const int64_t inner = std::min<int64_t>(tokens, 512) * (kInner + 32) * size_of(compute);
  return static_cast<size_t>(tokens * kHidden * (4 + 3 * size_of(compute)) +
                             std::max(attention_bytes(tokens, compute), inner));
}

class Memory : public testing::TestWithParam<const char*> {};

TEST_P(Memory, PeakOfAPassInF32) {
  for (const int64_t tokens : {2048, 4096}) {
    EXPECT_EQ(peak_of_pass(GetParam(), tokens, DType::kF32), formula(tokens, DType::kF32)) << tokens;
  }
}

TEST_P(Memory, PeakOfAPassInBf16) {
  if (!has_fast_bf16()) GTEST_SKIP() << "no bf16 on this processor";
  for (const int64_t tokens : {2048, 4096}) {
    EXPECT_EQ(peak_of_pass(GetParam(), tokens, DType::kBF16), formula(tokens, DType::kBF16)) << tokens;
  }
}

TEST(NormedMemory, PeakOfAPass) {
  const auto peak = [](int64_t tokens, DType compute) {
    return peak_of_pass(kShapes[1], tokens, compute, std::make_shared<NormedSource>());
  };
  for (const int64_t tokens : {2048, 4096}) {
    const int64_t state = tokens * kHidden * 4;
    EXPECT_EQ(peak(tokens, DType::kF32), static_cast<size_t>(4 * state + attention_bytes(tokens, DType::kF32)))
        << tokens;
    if (!has_fast_bf16()) continue;
    // The value lies in the buffer that query and key had in f32, before their norms.
    EXPECT_EQ(peak(tokens, DType::kBF16), static_cast<size_t>(3 * state + attention_bytes(tokens, DType::kBF16)))
        << tokens;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Memory, testing::ValuesIn(kShapes));

}  // namespace
}  // namespace jina
