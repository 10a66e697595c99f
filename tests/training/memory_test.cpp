#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "ops/torch/torch_tensor.h"
#include "support/temporary_directory.h"
#include "support/tensor_memory.h"
#include "training/student.h"
#include "weights/initialiser.h"

// The most bytes of tensors that forward and backward hold at once, as docs/training.md states it ("Memory").
namespace jina {
namespace {

constexpr int64_t kHidden = 128;
constexpr int64_t kHeads = 4;
constexpr int64_t kInner = 512;

struct Case {
  int64_t layers = 0;
  int64_t tokens = 0;
  DType compute = DType::kBF16;
  bool is_checkpointing = false;
};

int64_t peak_of_step(const Case& test) {
  const test::TemporaryDirectory directory;
  directory.write("config.json", fmt::format(R"({{"model_type": "xlm-roberta", "position_embedding_type": "rotary",
        "layer_norm_eps": 1e-5, "type_vocab_size": 1, "vocab_size": 100, "max_position_embeddings": 8194,
        "hidden_size": {}, "num_hidden_layers": {}, "num_attention_heads": {}, "intermediate_size": {}}})",
                                             kHidden, test.layers, kHeads, kInner));
  const ModelDirectory files = ModelDirectory::open(directory.path());
  ParameterStore store(at::kCPU);
  const auto weights = store.source("", make_initialiser(1, 0.02F, DType::kF32));
  TorchBackend backend({.compute = test.compute, .is_training = true, .is_checkpointing = test.is_checkpointing});
  build_model({.directory = files, .weights = weights, .backend = backend, .wrap_adapter = {}});
  store.train({"*"}, {});
  const Model model = build_model({.directory = files, .weights = weights, .backend = backend, .wrap_adapter = {}});
  TokenBatch batch;
  batch.layout.append(test.tokens);
  batch.ids.assign(static_cast<size_t>(test.tokens), 5);
  batch.adapters.by_row = {kNoAdapter};
  return test::peak_tensor_bytes([&] {
    const Tensor hidden = model.encoder->forward(batch, nullptr);
    unwrap(backend.mean_pool(hidden, std::vector<TokenSpan>{{0, test.tokens}})).sum().backward();
  });
}

/// What one layer keeps of a token for its gradient: the input of every product in the type of products, what both
/// norms add up in f32, and the rotary tables of the longest row.
int64_t kept_by_layer(DType compute) {
  const int64_t products = compute == DType::kF32 ? 24 * kHidden + 8 * kInner : 12 * kHidden + 4 * kInner;
  return products + 8 * kHidden + 4 * (kHidden / kHeads) + 4 * kHeads + 16;
}

/// The formula: kept by the layers (all of them, or their inputs and one), and what one operation at a time has beside.
int64_t formula(const Case& test) {
  const int64_t beside = (test.is_checkpointing ? 28 : test.compute == DType::kF32 ? 26 : 20) * kHidden;
  const int64_t kept = test.is_checkpointing ? 4 * kHidden * test.layers + kept_by_layer(test.compute)
                                             : kept_by_layer(test.compute) * test.layers;
  const int64_t parameters = test.layers * (4 * kHidden * kHidden + 2 * kHidden * kInner + 16 * kHidden);
  return test.tokens * (kept + beside) + 6 * parameters;  // gradients, and weights in the type of products
}

TEST(TrainingMemory, FollowsTheFormula) {
  at::set_num_threads(1);
  for (const DType compute : {DType::kBF16, DType::kF32}) {
    for (const bool is_checkpointing : {false, true}) {
      for (const int64_t layers : {2, 4}) {
        for (const int64_t tokens : {1024, 2048}) {
          const Case test{layers, tokens, compute, is_checkpointing};
          const int64_t peak = peak_of_step(test);
          SCOPED_TRACE(fmt::format("{} layers, {} tokens, {}, checkpointing {}", layers, tokens, to_string(compute),
                                   is_checkpointing));
          EXPECT_LE(peak, formula(test));
          EXPECT_GE(peak, formula(test) * 3 / 4) << "the formula must not be too wide";
        }
      }
    }
  }
}

}  // namespace
}  // namespace jina
