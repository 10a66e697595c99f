// Forward and backward of a MiniLM-sized encoder with random weights on TorchBackend, as one step of training has them.
//
//     bench_train_step [--threads 2] [--type bf16] [--rows 256] [--length 64 | --mixed] [--steps 5]
//         --model bench/shapes/minilm
//
// Texts of one length, or of 8 to 127 tokens. One JSON line: medians over the steps after the first; tokens per second
// of processor time are less moved by others on the machine, for one thread. Checks that every weight received a
// gradient that is finite and not all zero. bench/train_step/peer.py is the same step by transformers.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <map>

#include "base/rng.h"
#include "models/encoder.h"
#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_memory.h"
#include "ops/torch/torch_tensor.h"
#include "weights/initialiser.h"

namespace jina::bench {
namespace {

struct Settings {
  int threads = 2;
  DType type = DType::kBF16;
  int64_t rows = 256;
  int64_t length = 64;
  bool is_mixed = false;
  int steps = 5;
  std::string model;
};

/// Random weights as leaves that want a gradient.
class Leaves final : public WeightSource {
 public:
  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    const at::Tensor leaf = unwrap(*random_->find(name, shape)).clone().set_requires_grad(true);
    leaves_[name] = leaf;
    return wrap(leaf);
  }
  std::vector<std::string> names() const override { return {}; }
  const std::string& where() const override { return random_->where(); }
  void release(const Tensor& /*tensor*/) override {}
  const std::map<std::string, at::Tensor>& all() const { return leaves_; }

 private:
  std::shared_ptr<WeightSource> random_ = make_initialiser(3, 0.02F, DType::kF32);
  std::map<std::string, at::Tensor> leaves_;
};

/// The texts of a step; longest first when mixed, as a trainer sorts them.
TokenBatch make_batch(const Settings& settings, int64_t vocabulary) {
  const CounterRng rng(7, "texts");
  std::vector<int64_t> lengths;
  for (int64_t row = 0; row < settings.rows; ++row) {
    lengths.push_back(settings.is_mixed ? 8 + (37 * row + 11) % 120 : settings.length);
  }
  std::ranges::sort(lengths, std::greater());
  TokenBatch batch;
  for (const int64_t length : lengths) batch.layout.append(length);
  for (int64_t i = 0; i < batch.layout.tokens(); ++i) {
    batch.ids.push_back(static_cast<int32_t>(rng.bits(static_cast<uint64_t>(i)) % static_cast<uint64_t>(vocabulary)));
  }
  batch.adapters.by_row.assign(lengths.size(), kNoAdapter);
  return batch;
}

void check_gradients(const Leaves& leaves) {
  for (const auto& [name, leaf] : leaves.all()) {
    const bool is_used = leaf.grad().defined();
    const double sum = is_used ? leaf.grad().abs().sum().item<double>() : 0;
    // A key's bias moves all scores of a query alike: its gradient is rounding.
    if (!is_used || !std::isfinite(sum) || sum == 0) fail(ErrorKind::kInternal, name, "no gradient: {}", sum);
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void run(const Settings& settings) {
  recycle_tensor_pages();
  at::set_num_threads(settings.threads);
  TorchBackend backend({.compute = settings.type, .is_training = true});
  const auto leaves = std::make_shared<Leaves>();
  const ModelDirectory directory = ModelDirectory::open(settings.model);
  const Model model = build_model({directory, leaves, backend});
  const TokenBatch batch = make_batch(settings, model.card.vocabulary);
  std::vector<TokenSpan> spans;
  for (int64_t row = 0; row < batch.layout.rows(); ++row) {
    spans.push_back({batch.layout.begin(row), batch.layout.begin(row) + batch.layout.length(row)});
  }
  std::vector<double> seconds, forward, processor;
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  for (int step = 0; step <= settings.steps; ++step) {
    for (const auto& [name, leaf] : leaves->all()) leaf.mutable_grad() = at::Tensor();
    const double start = now();
    const std::clock_t clock = std::clock();
    const at::Tensor pooled = unwrap(backend.mean_pool(model.encoder->forward(batch, nullptr), spans));
    const double middle = now();
    pooled.square().sum().backward();
    if (step == 0) continue;
    forward.push_back(middle - start);
    seconds.push_back(now() - start);
    processor.push_back(static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC);
  }
  check_gradients(*leaves);
  const auto tokens = static_cast<double>(batch.layout.tokens());
  std::cout
      << fmt::format(
             R"({{"tokens": {}, "tokens_per_s": {:.0f}, "tokens_per_cpu_s": {:.0f}, "forward_ms": {:.1f}, "step_ms": {:.1f}, "cpu_ms": {:.1f}}})",
             tokens, tokens / median(seconds), tokens / median(processor), 1e3 * median(forward), 1e3 * median(seconds),
             1e3 * median(processor))
      << std::endl;
}

}  // namespace
}  // namespace jina::bench

int main(int argc, char** argv) {
  jina::bench::Settings settings;
  std::string type = "bf16";
  CLI::App app("Forward and backward of an encoder");
  app.add_option("--threads", settings.threads);
  app.add_option("--type", type)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--rows", settings.rows);
  app.add_option("--length", settings.length);
  app.add_flag("--mixed", settings.is_mixed);
  app.add_option("--steps", settings.steps);
  app.add_option("--model", settings.model, "Folder with config.json")->required();
  CLI11_PARSE(app, argc, argv);
  settings.type = type == "f32" ? jina::DType::kF32 : jina::DType::kBF16;
  try {
    jina::bench::run(settings);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
