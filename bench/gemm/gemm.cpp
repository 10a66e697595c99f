// How near the layers of ops/cpu come to the processor's peak, and what oneDNN reaches on the same shapes.
//
//     bench_gemm [--threads 2] [--type bf16] [--tokens 1,16,128,512,2048] [--shape 384x1536] [--seconds 0.2]
//
// Checks each result on sampled elements against a double sum, then times it; one JSON line per case, best and median
// of the repetitions. Weights of four layers are used in turn, so that they do not sit in the second-level cache.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <iostream>

#include "gemm/peak.h"
#include "ops/cpu/cpu_backend.h"
#if defined(JINA_BENCH_DNNL)
#include "gemm/onednn.h"
#endif

namespace jina::bench {
namespace {

constexpr int kLayers = 4;

struct ShapeRow {
  const char* name;
  int64_t hidden;
  int64_t inner;
  Gate gate;
};
/// The shapes of MiniLM, v2-small, v2-base and v3.
constexpr ShapeRow kShapes[] = {{"384x1536", 384, 1536, Gate::kNone},
                                {"512x2048 GEGLU", 512, 2048, Gate::kGateFirst},
                                {"768x3072 GEGLU", 768, 3072, Gate::kGateFirst},
                                {"1024x4096", 1024, 4096, Gate::kNone}};

struct Settings {
  int threads = 2;
  DType type = DType::kF32;
  double seconds = 0.2;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Tensor random_tensor(DType dtype, Shape shape, double size, uint64_t seed) {
  Tensor tensor = make_tensor(dtype, shape);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (int64_t i = 0; i < shape.elements(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto value = static_cast<float>(size * (static_cast<double>(state >> 11) * 0x1p-52 - 1));
    if (dtype == DType::kF32) {
      tensor.data<float>()[i] = value;
    } else {
      tensor.data<BFloat16>()[i] = to_bfloat16(value);
    }
  }
  return tensor;
}

LinearWeights random_weights(int64_t in, int64_t out, uint64_t seed) {
  const double size = 1 / std::sqrt(static_cast<double>(in));
  return {.weight = random_tensor(DType::kBF16, {out, in}, size, seed),
          .bias = random_tensor(DType::kF32, {out}, 0.1, seed + 1),
          .adapters = {}};
}

/// Times run(layer) over all layers in turn and prints a line.
void report(const Settings& settings, const std::string& what, int64_t tokens, double flops,
            const std::function<void(int)>& run) {
  for (int layer = 0; layer < kLayers; ++layer) run(layer);
  std::vector<double> times;
  const std::clock_t before = std::clock();
  for (const double end = now() + settings.seconds; now() < end || times.size() < 5;) {
    const double start = now();
    for (int layer = 0; layer < kLayers; ++layer) run(layer);
    times.push_back((now() - start) / kLayers);
  }
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  const double cpu = used / static_cast<double>(times.size() * kLayers);
  std::ranges::sort(times);
  const double best = times.front(), median = times[times.size() / 2];
  const double peak = peak_gflops(settings.type == DType::kBF16) * settings.threads;
  fmt::print(
      "{{\"case\":\"{}\",\"type\":\"{}\",\"threads\":{},\"tokens\":{},\"us\":{:.1f},\"median_us\":{:.1f},"
      "\"gflops\":{:.1f},\"percent_of_peak\":{:.1f},\"median_percent\":{:.1f},\"cpu_percent\":{:.1f}}}\n",
      what, to_string(settings.type), settings.threads, tokens, best * 1e6, median * 1e6, flops / best * 1e-9,
      100 * flops / best * 1e-9 / peak, 100 * flops / median * 1e-9 / peak,
      100 * flops / cpu * 1e-9 * settings.threads / peak);
  std::fflush(stdout);
}

float rounded(float value, DType type) { return type == DType::kBF16 ? to_float(to_bfloat16(value)) : value; }

/// Fails unless some results of the linear layer equal their sums in double.
void check_linear(const LinearWeights& weights, const Tensor& x, const Tensor& y, const Settings& settings) {
  for (int64_t token = 0; token < x.rows(); token += 1 + x.rows() / 7) {
    for (int64_t out = 0; out < y.width(); out += 1 + y.width() / 11) {
      double sum = weights.bias->data<float>()[out];
      for (int64_t i = 0; i < x.width(); ++i) {
        sum += double{rounded(x.row<float>(token)[i], settings.type)} * to_float(weights.weight.row<BFloat16>(out)[i]);
      }
      const float got = y.dtype() == DType::kBF16 ? to_float(y.row<BFloat16>(token)[out]) : y.row<float>(token)[out];
      if (std::abs(got - sum) > (y.dtype() == DType::kBF16 ? 4e-3 * std::abs(sum) + 1e-4 : 1e-5)) {
        fail(ErrorKind::kInternal, {}, "wrong result at ({}, {}): {}, expected {}", token, out, got, sum);
      }
    }
  }
}

void measure_linear(const Settings& settings, Backend& backend, int64_t tokens, int64_t in, int64_t out) {
  const Tensor x = random_tensor(DType::kF32, {tokens, in}, 1, 5);
  std::vector<std::unique_ptr<PreparedLinear>> layers;
  for (int layer = 0; layer < kLayers; ++layer) {
    LinearWeights weights = random_weights(in, out, static_cast<uint64_t>(layer) * 10);
    layers.push_back(backend.prepare(weights));
    check_linear(weights, x, backend.linear(*layers.back(), x, {.output = settings.type}), settings);
  }
  report(settings, fmt::format("linear {}->{}", in, out), tokens, 2.0 * static_cast<double>(tokens * in * out),
         [&](int layer) { backend.linear(*layers[static_cast<size_t>(layer)], x, {.output = settings.type}); });
}

void measure_feed_forward(const Settings& settings, Backend& backend, int64_t tokens, const ShapeRow& shape) {
  const Tensor x = random_tensor(DType::kF32, {tokens, shape.hidden}, 1, 5);
  const int64_t wide = shape.gate == Gate::kNone ? shape.inner : 2 * shape.inner;
  std::vector<std::unique_ptr<PreparedFeedForward>> layers;
  for (int layer = 0; layer < kLayers; ++layer) {
    const auto seed = static_cast<uint64_t>(layer) * 20;
    layers.push_back(backend.prepare(FeedForwardWeights{.up = random_weights(shape.hidden, wide, seed + 100),
                                                        .down = random_weights(shape.inner, shape.hidden, seed + 110),
                                                        .gate = shape.gate}));
  }
  report(settings, fmt::format("feed_forward {}", shape.name), tokens,
         2.0 * static_cast<double>(tokens * shape.hidden * (wide + shape.inner)),
         [&](int layer) { backend.feed_forward(*layers[static_cast<size_t>(layer)], x, nullptr); });
}

void measure_norm(const Settings& settings, Backend& backend, int64_t tokens, int64_t hidden) {
  const Tensor residual = random_tensor(DType::kF32, {tokens, hidden}, 1, 5);
  const NormWeights weights{.scale = random_tensor(DType::kF32, {hidden}, 1, 1),
                            .shift = random_tensor(DType::kF32, {hidden}, 1, 2)};
  Tensor y = random_tensor(DType::kF32, {tokens, hidden}, 1, 6);
  report(settings, fmt::format("layer_norm {}", hidden), tokens, 8.0 * static_cast<double>(tokens * hidden),
         [&](int) { y = backend.layer_norm(weights, std::move(y), residual, DType::kF32); });
}

#if defined(JINA_BENCH_DNNL)
void measure_onednn(const Settings& settings, int64_t tokens, const OneDnnLayer::Shape& shape) {
  std::vector<OneDnnLayer> layers;
  ThreadPool threads(settings.threads);
  const double start = now();
  for (int layer = 0; layer < kLayers; ++layer) layers.emplace_back(threads, settings.type, tokens, shape);
  const double made = (now() - start) * 1e3 / kLayers;
  const auto what =
      fmt::format("onednn {}->{}{} (made in {:.1f} ms)", shape.in, shape.out, shape.has_gelu ? " gelu" : "", made);
  report(settings, what, tokens, 2.0 * static_cast<double>(tokens * shape.in * shape.out),
         [&](int layer) { layers[static_cast<size_t>(layer)].run(threads); });
}
#endif

void measure_shape(const Settings& settings, int64_t tokens, const ShapeRow& shape, bool with_onednn) {
  const auto backend = make_cpu_backend({.threads = settings.threads, .compute = settings.type});
  measure_linear(settings, *backend, tokens, shape.hidden, 3 * shape.hidden);
  measure_linear(settings, *backend, tokens, shape.hidden, shape.hidden);
  measure_feed_forward(settings, *backend, tokens, shape);
  measure_norm(settings, *backend, tokens, shape.hidden);
#if defined(JINA_BENCH_DNNL)
  if (!with_onednn) return;
  measure_onednn(settings, tokens, {shape.hidden, 3 * shape.hidden, false});
  measure_onednn(settings, tokens, {shape.hidden, shape.hidden, false});
  measure_onednn(settings, tokens, {shape.hidden, shape.inner, true});
  measure_onednn(settings, tokens, {shape.inner, shape.hidden, false});
#else
  if (with_onednn) fail(ErrorKind::kUnsupported, {}, "this bench was built without oneDNN (libdnnl-dev)");
#endif
}

int run(int argc, char** argv) {
  CLI::App app("Times the layers of ops/cpu against the peak of the processor");
  Settings settings;
  std::string type = "f32", only;
  std::vector<int64_t> tokens{1, 16, 128, 512, 2048};
  bool with_onednn = false;
  app.add_option("--threads", settings.threads);
  app.add_option("--type", type)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--tokens", tokens)->delimiter(',');
  app.add_option("--shape", only, "part of a shape's name");
  app.add_option("--seconds", settings.seconds);
  app.add_flag("--onednn", with_onednn, "also times oneDNN, single-threaded inside tiles of our pool");
  CLI11_PARSE(app, argc, argv);
  settings.type = type == "bf16" ? DType::kBF16 : DType::kF32;
  for (const ShapeRow& shape : kShapes) {
    if (std::string_view(shape.name).find(only) == std::string_view::npos) continue;
    for (const int64_t count : tokens) measure_shape(settings, count, shape, with_onednn);
  }
  return 0;
}

}  // namespace
}  // namespace jina::bench

int main(int argc, char** argv) {
  try {
    return jina::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
