#include "conformance/gradients.h"

// Dropout, and layers that are run again for their gradient.

namespace jina::test {
namespace {

constexpr DropoutKey kKey{.seed = 5, .stream = 3};

at::Tensor dropped(const DropoutKey& key, double share, const at::Tensor& x, int calls = 1) {
  TorchBackend backend = training_backend(share);
  backend.begin_pass(key);
  Tensor result;
  for (int i = 0; i < calls; ++i) result = backend.dropout(wrap(x));
  return unwrap(result).detach();
}

TEST(Dropout, zeros_the_share_and_keeps_the_mean) {
  const at::Tensor ones = at::ones({1000, 201}, at::kDouble);
  for (const double share : {0.1, 0.5}) {
    const at::Tensor y = dropped(kKey, share, ones);
    const double count = static_cast<double>(y.numel());
    const double zeros = (y == 0).sum().item<double>() / count;
    EXPECT_NEAR(zeros, share, 5 * std::sqrt(share * (1 - share) / count));  // five standard deviations
    EXPECT_NEAR(y.mean().item<double>(), 1, 5 * std::sqrt(share / (1 - share) / count));
    EXPECT_NEAR(y.max().item<double>(), 1 / (1 - share), 1e-6);
  }
}

TEST(Dropout, repeats_by_its_key_and_differs_by_stream_seed_and_place) {
  const at::Tensor ones = at::ones({64, 33}, at::kDouble);
  const at::Tensor y = dropped(kKey, 0.25, ones);
  const auto shared = [&](const at::Tensor& other) { return (y == other).to(at::kDouble).mean().item<double>(); };
  EXPECT_EQ(shared(dropped(kKey, 0.25, ones)), 1);
  // Two that have nothing to do with each other agree in 1/16 + 9/16 of the places.
  for (const DropoutKey& key : {DropoutKey{5, 4}, DropoutKey{6, 3}}) {
    EXPECT_NEAR(shared(dropped(key, 0.25, ones)), 0.625, 0.06);
  }
  EXPECT_NEAR(shared(dropped(kKey, 0.25, ones, 2)), 0.625, 0.06) << "the second dropout of a pass";
}

TEST(Dropout, is_nothing_outside_of_training) {
  TorchBackend backend({.compute = DType::kF64, .is_training = false, .dropout = 0.5});
  const at::Tensor x = leaf({4, 4}, 1);
  EXPECT_TRUE(unwrap(backend.dropout(wrap(x))).is_same(x));
}

TEST(DropoutGradient, is_that_of_the_values_kept) {
  expect_gradients(
      [](const Values& leaves) {
        TorchBackend backend = training_backend(0.4);
        backend.begin_pass(kKey);
        return unwrap(backend.dropout(backend.dropout(wrap(leaves[0]))));
      },
      {leaf({6, 7}, 1)}, "dropout");
}

/// Layers dropout(norm(x + dropout(gelu(W x + b)))); four leaves of weights for each, after the input.
struct Layers {
  Layers(TorchBackend& b, const Values& leaves) : backend(b) {
    for (size_t i = 1; i < leaves.size(); i += 4) {
      prepared.push_back(
          backend.prepare(LinearWeights{.weight = wrap(leaves[i]), .bias = wrap(leaves[i + 1]), .adapters = {}}));
      norms.push_back({wrap(leaves[i + 2]), wrap(leaves[i + 3]), 1e-5F});
    }
  }

  Tensor operator()(Tensor x) const {
    for (size_t i = 0; i < prepared.size(); ++i) {
      x = backend.run_layer(
          [this, i](const Tensor& input) {
            const Tensor y = backend.dropout(backend.linear(*prepared[i], input, {.activation = Activation::kGelu}));
            return backend.dropout(backend.layer_norm(norms[i], y, input, DType::kF32));
          },
          std::move(x));
    }
    return x;
  }

  TorchBackend& backend;
  std::vector<std::unique_ptr<PreparedLinear>> prepared;
  std::vector<NormWeights> norms;
};

Values layer_leaves(int layers) {
  Values leaves{leaf({5, 4}, 1)};
  for (int i = 0; i < layers; ++i) {
    const auto seed = static_cast<uint32_t>(10 + 4 * i);
    leaves.insert(leaves.end(), {leaf({4, 4}, seed), leaf({4}, seed + 1), leaf({4}, seed + 2), leaf({4}, seed + 3)});
  }
  return leaves;
}

at::Tensor run_layers(const Values& leaves, double dropout, bool is_checkpointing) {
  TorchBackend backend = training_backend(dropout, is_checkpointing);
  backend.begin_pass(kKey);
  const Layers layers(backend, leaves);
  return unwrap(layers(wrap(leaves[0])));
}

TEST(RunLayerGradient, matches_differences_when_layers_are_run_again) {
  // The prepared weights of `layers` must outlive the backward pass, which runs them again.
  const Values leaves = layer_leaves(2);
  TorchBackend backend = training_backend(0.3, true);
  const Layers layers(backend, leaves);
  expect_gradients(
      [&](const Values& x) {
        backend.begin_pass(kKey);
        return unwrap(layers(wrap(x[0])));
      },
      leaves, "checkpointed");
}

TEST(RunLayerGradient, is_the_same_with_and_without_recomputation) {
  const Values leaves = layer_leaves(3);
  for (const double dropout : {0.0, 0.3}) {
    Values results[2];
    for (const bool is_checkpointing : {false, true}) {
      TorchBackend backend = training_backend(dropout, is_checkpointing);
      const Layers layers(backend, leaves);
      at::Tensor value;
      Values all = gradients_of(
          [&](const Values& x) {
            backend.begin_pass(kKey);
            return value = unwrap(layers(wrap(x[0])));
          },
          leaves);
      all.push_back(value.detach());
      results[is_checkpointing ? 1 : 0] = all;
    }
    for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(at::equal(results[0][i], results[1][i])) << i;
  }
}

TEST(RunLayerGradient, reaches_weights_when_the_input_wants_none) {
  Values leaves = layer_leaves(1);
  const Values expected = gradients_of([](const Values& x) { return run_layers(x, 0.3, false); }, leaves);
  TorchBackend backend = training_backend(0.3, true);
  const Layers layers(backend, leaves);
  const at::Tensor input = leaves[0].detach().clone();
  const Values actual = gradients_of(
      [&](const Values&) {
        backend.begin_pass(kKey);
        return unwrap(layers(wrap(input)));
      },
      {leaves.begin() + 1, leaves.end()});
  expect_close(actual, {expected.begin() + 1, expected.end()}, 0, "weights");
}

/// Two chunks: a pass without graph gives the vectors and their gradients, then each chunk is run once more with its
/// own key (Gao et al. 2021, GradCache). Layers are run a third time inside.
TEST(RunLayerGradient, stands_in_two_passes_of_cached_gradients) {
  const Values leaves = layer_leaves(2);
  const at::Tensor chunks[] = {leaf({5, 4}, 21), leaf({3, 4}, 22)};
  const Values weights(leaves.begin() + 1, leaves.end());
  const auto loss_of = [](const at::Tensor& y) { return weigh(y.softmax(0)); };
  Values results[2];
  for (const bool is_cached : {false, true}) {
    TorchBackend backend = training_backend(0.3, is_cached);
    const Layers layers(backend, leaves);
    const auto run = [&](size_t chunk) {
      backend.begin_pass({.seed = 5, .stream = chunk});
      return unwrap(layers(wrap(chunks[chunk])));
    };
    for (const at::Tensor& one : weights) one.mutable_grad() = at::Tensor();
    if (is_cached) {
      at::Tensor vectors;
      {
        const c10::AutoGradMode disabled(false);
        vectors = at::cat({run(0), run(1)});
      }
      vectors.set_requires_grad(true);
      loss_of(vectors).backward();
      const auto parts = vectors.grad().split_with_sizes({5, 3});
      for (size_t chunk = 0; chunk < 2; ++chunk) (run(chunk) * parts[chunk]).sum().backward();
    } else {
      loss_of(at::cat({run(0), run(1)})).backward();
    }
    for (const at::Tensor& one : weights) results[is_cached ? 1 : 0].push_back(one.grad().clone());
  }
  expect_close(results[0], results[1], 1e-13, "cached");
}

}  // namespace
}  // namespace jina::test
