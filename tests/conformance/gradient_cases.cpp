#include "conformance/gradients.h"
#include "ops/torch/attention.h"
#include "ops/torch/attention_core.h"

// The gradient of every operation of TorchBackend for all its inputs and weights.

namespace jina::test {
namespace {

/// Adapters of `rank` for a layer of (out, in) from the leaves `at` and `at + 1`.
LowRank low_rank(const Values& leaves, size_t at) { return {wrap(leaves[at]), wrap(leaves[at + 1]), 0.5F}; }

const std::vector<int64_t> kLengths = {3, 0, 1, 2};
const RowAdapters kRows{{1, 0, kNoAdapter, 0}};

TEST(LinearGradient, with_and_without_bias_and_activation) {
  for (const bool has_bias : {false, true}) {
    for (const Activation activation : {Activation::kNone, Activation::kGelu, Activation::kRelu}) {
      expect_gradients(
          [&](const Values& leaves) {
            TorchBackend backend = training_backend();
            LinearWeights weights{.weight = wrap(leaves[1]), .bias = {}, .adapters = {}};
            if (has_bias) weights.bias = wrap(leaves[2]);
            const auto prepared = backend.prepare(std::move(weights));
            return unwrap(backend.linear(*prepared, wrap(leaves[0]), {.activation = activation}));
          },
          {leaf({5, 4}, 1), leaf({3, 4}, 2), leaf({3}, 3)}, fmt::format("bias {}", has_bias));
    }
  }
}

TEST(LinearGradient, of_weights_in_another_type_is_refused) {
  TorchBackend backend = training_backend();
  const at::Tensor weight = leaf({3, 4}, 1).detach().to(at::kFloat).set_requires_grad(true);
  EXPECT_THROW(backend.prepare(LinearWeights{.weight = wrap(weight), .bias = {}, .adapters = {}}), Error);
}

/// Two stacked layers with two adapters each on rows that mix them.
TEST(LinearGradient, stacked_with_mixed_adapters) {
  const PackedLayout layout = layout_of(kLengths);
  for (const bool is_mixed : {true, false}) {
    const RowAdapters rows = is_mixed ? kRows : RowAdapters{{1, 1, 1, 1}};
    const AdapterUse use{layout, rows};
    expect_gradients(
        [&](const Values& leaves) {
          TorchBackend backend = training_backend();
          std::vector<LinearWeights> stacked;
          for (size_t part = 0; part < 2; ++part) {
            const size_t first = 1 + 6 * part;
            stacked.push_back({.weight = wrap(leaves[first]),
                               .bias = wrap(leaves[first + 1]),
                               .adapters = {low_rank(leaves, first + 2), low_rank(leaves, first + 4)}});
          }
          const auto prepared = backend.prepare(std::move(stacked));
          return unwrap(backend.linear(*prepared, wrap(leaves[0]), {.adapters = &use}));
        },
        {leaf({6, 4}, 1), leaf({3, 4}, 2), leaf({3}, 3), leaf({2, 4}, 4), leaf({3, 2}, 5), leaf({2, 4}, 6),
         leaf({3, 2}, 7), leaf({2, 4}, 8), leaf({2}, 9), leaf({1, 4}, 10), leaf({2, 1}, 11), leaf({1, 4}, 12),
         leaf({2, 1}, 13)},
        is_mixed ? "mixed rows" : "one adapter");
  }
}

/// The base weights of a LoRA training want no gradient.
TEST(LinearGradient, of_adapters_on_frozen_weights) {
  const PackedLayout layout = layout_of(kLengths);
  const AdapterUse use{layout, kRows};
  const at::Tensor weight = leaf({3, 4}, 2).detach(), bias = leaf({3}, 3).detach();
  expect_gradients(
      [&](const Values& leaves) {
        TorchBackend backend = training_backend();
        const auto prepared = backend.prepare(LinearWeights{
            .weight = wrap(weight), .bias = wrap(bias), .adapters = {low_rank(leaves, 1), low_rank(leaves, 3)}});
        return unwrap(backend.linear(*prepared, wrap(leaves[0]), {.adapters = &use}));
      },
      {leaf({6, 4}, 1), leaf({2, 4}, 4), leaf({3, 2}, 5), leaf({2, 4}, 6), leaf({3, 2}, 7)}, "frozen");
}

TEST(FeedForwardGradient, of_every_gate_and_activation) {
  const PackedLayout layout = layout_of(kLengths);
  const AdapterUse use{layout, kRows};
  for (const Gate gate : {Gate::kNone, Gate::kGateFirst, Gate::kGateSecond}) {
    const int64_t wide = gate == Gate::kNone ? 3 : 6;
    for (const Activation activation : {Activation::kNone, Activation::kGelu, Activation::kRelu}) {
      expect_gradients(
          [&](const Values& leaves) {
            TorchBackend backend = training_backend();
            const auto prepared = backend.prepare(
                FeedForwardWeights{.up = {wrap(leaves[1]), wrap(leaves[2]), {low_rank(leaves, 5), low_rank(leaves, 7)}},
                                   .down = {wrap(leaves[3]), wrap(leaves[4]), {}},
                                   .gate = gate,
                                   .activation = activation});
            return unwrap(backend.feed_forward(*prepared, wrap(leaves[0]), &use));
          },
          {leaf({6, 4}, 1), leaf({wide, 4}, 2), leaf({wide}, 3), leaf({4, 3}, 4), leaf({4}, 5), leaf({2, 4}, 6),
           leaf({wide, 2}, 7), leaf({2, 4}, 8), leaf({wide, 2}, 9)},
          fmt::format("gate {}, activation {}", static_cast<int>(gate), static_cast<int>(activation)));
    }
  }
}

TEST(EmbeddingGradient, with_adapters_in_both_storage_orders) {
  const PackedLayout layout = layout_of(kLengths);
  const AdapterUse use{layout, kRows};
  const std::vector<int32_t> ids{4, 0, 4, 1, 1, 3};  // some twice, one never
  for (const bool is_transposed : {false, true}) {
    const std::vector<int64_t> a = is_transposed ? std::vector<int64_t>{2, 5} : std::vector<int64_t>{5, 2};
    const std::vector<int64_t> b = is_transposed ? std::vector<int64_t>{3, 2} : std::vector<int64_t>{2, 3};
    expect_gradients(
        [&](const Values& leaves) {
          TorchBackend backend = training_backend();
          const auto prepared = backend.prepare(EmbeddingWeights{.table = wrap(leaves[0]),
                                                                 .adapters = {low_rank(leaves, 1), low_rank(leaves, 3)},
                                                                 .adapters_transposed = is_transposed});
          return unwrap(backend.embedding_lookup(*prepared, ids, &use));
        },
        {leaf({5, 3}, 1), leaf(a, 2), leaf(b, 3), leaf(a, 4), leaf(b, 5)}, fmt::format("transposed {}", is_transposed));
  }
}

TEST(RowWiseGradient, layer_norm_with_and_without_residual) {
  for (const bool has_residual : {false, true}) {
    expect_gradients(
        [&](const Values& leaves) {
          TorchBackend backend = training_backend();
          const NormWeights weights{wrap(leaves[2]), wrap(leaves[3]), 1e-5F};
          return unwrap(
              backend.layer_norm(weights, wrap(leaves[0]), has_residual ? wrap(leaves[1]) : Tensor(), DType::kF32));
        },
        {leaf({4, 6}, 1), leaf({4, 6}, 2), leaf({6}, 3), leaf({6}, 4)}, fmt::format("residual {}", has_residual));
  }
}

TEST(RowWiseGradient, layer_norm_of_a_view_of_columns) {
  expect_gradients(
      [&](const Values& leaves) {
        TorchBackend backend = training_backend();
        const NormWeights weights{wrap(leaves[1]), wrap(leaves[2]), 1e-5F};
        return unwrap(backend.layer_norm(weights, wrap(leaves[0]).columns(2, 8), {}, DType::kF32));
      },
      {leaf({4, 10}, 1), leaf({6}, 3), leaf({6}, 4)}, "columns");
}

TEST(RowWiseGradient, add_of_tensors_and_of_one_to_itself) {
  expect_gradients(
      [](const Values& leaves) {
        TorchBackend backend = training_backend();
        const Tensor sum = backend.add(wrap(leaves[0]), wrap(leaves[1]));
        return unwrap(backend.add(sum, wrap(leaves[0])));
      },
      {leaf({4, 3}, 1), leaf({4, 3}, 2)}, "add");
}

TEST(RowWiseGradient, mean_pool_of_spans_that_overlap) {
  const std::vector<TokenSpan> spans{{0, 1}, {1, 7}, {2, 2}, {3, 5}, {0, 7}};
  expect_gradients(
      [&](const Values& leaves) {
        TorchBackend backend = training_backend();
        return unwrap(backend.mean_pool(wrap(leaves[0]), spans));
      },
      {leaf({7, 3}, 1)}, "mean_pool");
}

struct AttentionCase {
  std::vector<int64_t> lengths;
  enum Kind { kPlain, kAlibi, kRotary } kind = kPlain;
};

/// Query, key and value are columns of one tensor, as the layers have them.
at::Tensor run_attention(const AttentionCase& c, const at::Tensor& fused) {
  constexpr int64_t kHeads = 2, kWidth = 8;
  const PackedLayout layout = layout_of(c.lengths);
  TorchBackend backend = training_backend();
  const std::vector<float> slopes{0.25F, 0.0625F};
  std::vector<float> cosines, sines;
  for (int64_t i = 0; i < layout.longest() * kWidth / kHeads / 2; ++i) {
    cosines.push_back(std::cos(0.3F * static_cast<float>(i)));
    sines.push_back(std::sin(0.3F * static_cast<float>(i)));
  }
  AttentionOptions options{.heads = kHeads, .scale = 0.5F, .positions = {}};
  if (c.kind == AttentionCase::kAlibi) options.positions = AlibiBias{slopes};
  if (c.kind == AttentionCase::kRotary) options.positions = RotaryTables{cosines, sines};
  const Tensor all = wrap(fused);
  return unwrap(backend.attention(
      {all.columns(0, kWidth), all.columns(kWidth, 2 * kWidth), all.columns(2 * kWidth, 3 * kWidth)}, layout, options));
}

TEST(AttentionGradient, plain_alibi_and_rotary_in_rows_of_all_lengths) {
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{3, 3, 0, 1, 2, 0, 2}, {1}, {5, 5}}) {
    for (const auto kind : {AttentionCase::kPlain, AttentionCase::kAlibi, AttentionCase::kRotary}) {
      const int64_t tokens = layout_of(lengths).tokens();
      expect_gradients(
          [&](const Values& leaves) {
            return run_attention({lengths, kind}, leaves[0]);
          },
          {leaf({tokens, 24}, 1)}, fmt::format("{} tokens, kind {}", tokens, static_cast<int>(kind)));
    }
  }
}

TEST(AttentionGradient, of_no_tokens_is_empty) {
  const at::Tensor none = leaf({0, 24}, 1);
  const Values gradients = gradients_of(
      [](const Values& leaves) {
        return run_attention({{0, 0}}, leaves[0]);
      },
      {none});
  EXPECT_EQ(gradients[0].sizes(), none.sizes());
}

/// Both kernels, with scores of all queries at once and in blocks that do not divide the rows.
TEST(AttentionGradient, of_the_fused_and_the_unfused_kernel_in_blocks_of_queries) {
  const Values leaves{leaf({19, 6}, 1), leaf({19, 6}, 2), leaf({19, 6}, 3)};
  for (const bool has_slopes : {false, true}) {
    Values first;
    for (const bool is_unfused : {false, true}) {
      for (const int64_t block : {1, 60, 1 << 21}) {
        const Computation run = [&](const Values& x) {
          return attend(x[0], x[1], x[2],
                        {.offsets = {0, 7, 14, 14, 15, 19},
                         .heads = 2,
                         .scale = 0.6,
                         .slopes = has_slopes ? at::tensor({0.3, 0.1}, at::kFloat) : at::Tensor(),
                         .is_unfused = is_unfused,
                         .block_elements = block});
        };
        const std::string what = fmt::format("slopes {}, unfused {}, block {}", has_slopes, is_unfused, block);
        if (block == 60) expect_gradients(run, leaves, what);
        Values result = gradients_of(run, leaves);
        result.push_back(run(leaves).detach());
        if (first.empty()) first = result;
        expect_close(result, first, 1e-12, what);
      }
    }
  }
}

/// Positions in the kernel, and before it as where the kernel is unfused.
TEST(AttentionGradient, of_rotary_positions_is_that_of_rotated_inputs) {
  const at::Tensor angles = at::arange(10, at::kFloat).view({5, 2}) * 0.4;
  const at::Tensor places = at::tensor({0, 1, 2, 3, 4, 0, 1}, at::kLong);
  const Values leaves{leaf({7, 8}, 1), leaf({7, 8}, 2), leaf({7, 8}, 3)};
  const TorchAttention plain{.offsets = {0, 5, 7}, .heads = 2, .scale = 0.6, .slopes = {}, .is_unfused = true};
  TorchAttention rotary = plain;
  rotary.is_unfused = false;
  rotary.cosines = angles.cos();
  rotary.sines = angles.sin();
  const auto by_place = [&](const at::Tensor& table) { return table.index_select(0, places).to(at::kDouble); };
  const Computation before = [&](const Values& x) {
    const at::Tensor cosines = by_place(rotary.cosines), sines = by_place(rotary.sines);
    return attend(rotate(x[0], cosines, sines), rotate(x[1], cosines, sines), x[2], plain);
  };
  const Computation inside = [&](const Values& x) { return attend(x[0], x[1], x[2], rotary); };
  expect_gradients(before, leaves, "before");
  expect_close(gradients_of(inside, leaves), gradients_of(before, leaves), 1e-12, "gradients");
  expect_close({inside(leaves).detach()}, {before(leaves).detach()}, 1e-12, "values");
}

/// Kernels that this processor can run but would not choose, in f32, on rows of more than one block.
TEST(AttentionGradient, of_every_instruction_set_is_that_of_float64) {
  std::vector<const AttentionCore*> cores{&kAttentionCoreBaseline};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) cores.push_back(&kAttentionCoreAvx2);
  if (&best_attention_core() == &kAttentionCoreAvx512) cores.push_back(&kAttentionCoreAvx512);
  constexpr int64_t kLength = 301, kWidth = 20;
  std::vector<at::Tensor> wide, narrow;  // query, key, value, out, its gradient, three gradients
  for (uint32_t i = 0; i < 8; ++i) wide.push_back(leaf({kLength, kWidth}, i + 1, 2).detach());
  for (const at::Tensor& x : wide) narrow.push_back(x.to(at::kFloat));
  const auto run = [&](const HeadKernels& kernels, const std::vector<at::Tensor>& x) {
    const at::Tensor sums = at::empty({kLength}, x[0].options());
    const auto rows = [&](size_t i) {
      return HeadRows{static_cast<std::byte*>(x[i].data_ptr()), kWidth * x[i].element_size()};
    };
    const HeadCall call{.length = kLength,
                        .width = kWidth,
                        .scale = 0.3,
                        .slope = 0.05,
                        .query = rows(0),
                        .key = rows(1),
                        .value = rows(2),
                        .out = rows(3),
                        .sums = static_cast<std::byte*>(sums.data_ptr()),
                        .out_gradient = rows(4),
                        .query_gradient = rows(5),
                        .key_gradient = rows(6),
                        .value_gradient = rows(7)};
    const at::Tensor scratch = at::empty({kernels.scratch_bytes(kLength, kWidth, true)}, at::kByte);
    kernels.forward(call, static_cast<std::byte*>(scratch.data_ptr()));
    kernels.backward(call, static_cast<std::byte*>(scratch.data_ptr()));
  };
  run(best_attention_core().f64, wide);
  for (size_t core = 0; core < cores.size(); ++core) {
    run(cores[core]->f32, narrow);
    for (const size_t i : {3, 5, 6, 7}) {
      const double off = (narrow[i].to(at::kDouble) - wide[i]).abs().max().item<double>();
      EXPECT_LE(off, 1e-5 * (1 + wide[i].abs().max().item<double>())) << "instruction set " << core << ", tensor " << i;
    }
  }
}

/// Query and key of one layer may be the same tensor; all three gradients reach it.
TEST(AttentionGradient, of_one_tensor_in_all_three_places) {
  expect_gradients(
      [](const Values& x) {
        return attend(x[0], x[0], x[0], {.offsets = {0, 4, 6}, .heads = 1, .scale = 0.7, .slopes = {}});
      },
      {leaf({6, 3}, 1)}, "shared");
}

}  // namespace
}  // namespace jina::test
