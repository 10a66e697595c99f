#include <gtest/gtest.h>

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

size_t peak_of_pass(const char* shape, int64_t tokens, DType compute) {
  const test::TemporaryDirectory directory;
  directory.write("config.json", std::string("{") + shape +
                                     R"(, "layer_norm_eps": 1e-5, "type_vocab_size": 1, "vocab_size": 100,
        "max_position_embeddings": 8194, "hidden_size": 256, "num_hidden_layers": 3, "num_attention_heads": 8,
        "intermediate_size": 512})");
  const ModelDirectory files = ModelDirectory::open(directory.path());
  const auto backend = make_cpu_backend({.threads = 1, .compute = compute});
  const Model model = build_model({files, make_initialiser(1, 0.02F, DType::kF32), *backend});
  TokenBatch batch;
  batch.layout.append(tokens);
  batch.ids.assign(static_cast<size_t>(tokens), 5);
  batch.adapters.by_row = {kNoAdapter};
  model.encoder->forward(batch, nullptr);
  EXPECT_EQ(backend->buffers().bytes_in_use(), 0u);  // nothing is left over
  return backend->buffers().peak_bytes();
}

/// One row of `tokens`, one worker.
size_t formula(int64_t tokens, DType compute) {
  const int64_t state = tokens * kHidden * 4;                     // x, or a layer's result
  const int64_t fused = 3 * tokens * kHidden * size_of(compute);  // query, key, value
  const AttentionKernels& kernels = *select_attention_kernels(compute);
  const int64_t dim = kHidden / kHeads;
  const int64_t packed = kernels.scratch_bytes(dim) + kernels.packed_bytes(tokens, dim);
  return static_cast<size_t>(state + fused + std::max(state, packed));
}

class Memory : public testing::TestWithParam<const char*> {};

TEST_P(Memory, PeakOfAPassIsTheFormula) {
  for (const int64_t tokens : {2048, 4096}) {
    const size_t peak = peak_of_pass(GetParam(), tokens, DType::kF32);
    EXPECT_EQ(peak, formula(tokens, DType::kF32)) << tokens;
  }
}

TEST_P(Memory, PeakInBf16StaysBelowTheFormulaOfF32) {
  if (!has_fast_bf16()) GTEST_SKIP() << "no bf16 on this processor";
  const size_t peak = peak_of_pass(GetParam(), 4096, DType::kBF16);
  EXPECT_GE(peak, formula(4096, DType::kBF16));
  EXPECT_LT(peak, formula(4096, DType::kF32));
}

INSTANTIATE_TEST_SUITE_P(Families, Memory, testing::ValuesIn(kShapes));

}  // namespace
}  // namespace jina
