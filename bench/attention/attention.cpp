#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>

#include "ops/cpu/cpu_backend.h"
#include "peak.h"

namespace jina {
namespace {

enum class Kind : uint8_t { kPlain, kAlibi, kRotary };

struct HeadShape {
  const char* name;
  int64_t heads, dim;
  Kind kind;
};

struct Batch {
  const char* name;
  std::vector<int64_t> lengths;
};

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Time {
  double wall = 1e9;
  double busy = 1e9;  // processor seconds of all threads: what a quiet machine would need
};

/// The least of each over repeated runs.
template <typename F>
Time best_time(const F& work) {
  Time best;
  double spent = 0;
  for (int runs = 0; runs < 3 || (spent < 0.2 && runs < 1000); ++runs) {
    const double wall = seconds_of(CLOCK_MONOTONIC), busy = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    work();
    const Time took{seconds_of(CLOCK_MONOTONIC) - wall, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - busy};
    best = {std::min(best.wall, took.wall), std::min(best.busy, took.busy)};
    spent += took.wall;
  }
  return best;
}

/// GFLOP per processor second.
double peak(ThreadPool& pool, DType dtype) {
  constexpr int64_t kRounds = 200000;
  const Time time = best_time([&] {
    pool.parallel_for(pool.threads(),
                      [&](int64_t, int) { dtype == DType::kF32 ? run_f32_peak(kRounds) : run_bf16_peak(kRounds); });
  });
  return static_cast<double>(kRounds * pool.threads()) * (dtype == DType::kF32 ? 768.0 : 1536.0) / time.busy / 1e9;
}

struct Problem {
  HeadShape shape;
  PackedLayout layout;
  Tensor fused;
  std::vector<float> slopes, cosines, sines;

  Problem(const HeadShape& s, const Batch& batch, DType dtype) : shape(s) {
    for (const int64_t length : batch.lengths) layout.append(length);
    fused = make_tensor(dtype, {layout.tokens(), 3 * s.heads * s.dim});
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < fused.shape().elements(); ++i) {
      if (dtype == DType::kF32) {
        fused.data<float>()[i] = normal(random);
      } else {
        fused.data<BFloat16>()[i] = to_bfloat16(normal(random));
      }
    }
    for (int64_t h = 0; h < s.heads; ++h)
      slopes.push_back(std::exp2(-8.0F * static_cast<float>(h + 1) / static_cast<float>(s.heads)));
    for (int64_t p = 0; p < layout.longest(); ++p) {
      for (int64_t i = 0; i < s.dim / 2; ++i) {
        const double angle =
            static_cast<double>(p) * std::pow(20000.0, -2.0 * static_cast<double>(i) / static_cast<double>(s.dim));
        cosines.push_back(static_cast<float>(std::cos(angle)));
        sines.push_back(static_cast<float>(std::sin(angle)));
      }
    }
  }

  AttentionOptions options() const {
    AttentionOptions o{.heads = shape.heads, .scale = 1 / std::sqrt(static_cast<float>(shape.dim)), .positions = {}};
    if (shape.kind == Kind::kAlibi) o.positions = AlibiBias{slopes};
    if (shape.kind == Kind::kRotary) o.positions = RotaryTables{cosines, sines};
    return o;
  }
  AttentionInputs inputs() const {
    const int64_t width = shape.heads * shape.dim;
    return {fused.columns(0, width), fused.columns(width, 2 * width), fused.columns(2 * width, 3 * width)};
  }
  double credited() const {
    double flops = 0;
    for (int64_t r = 0; r < layout.rows(); ++r)
      flops += 4.0 * static_cast<double>(layout.length(r) * layout.length(r) * shape.heads * shape.dim);
    return flops;
  }
};

float element(const Tensor& x, int64_t row, int64_t column) {
  return x.dtype() == DType::kF32 ? x.row<float>(row)[column] : to_float(x.row<BFloat16>(row)[column]);
}

/// Largest difference to float64 softmax for the first, a middle and the last query of the last row, first and last
/// head.
double error(const Problem& p, const Tensor& result) {
  const int64_t row = p.layout.rows() - 1, begin = p.layout.begin(row), n = p.layout.length(row), dim = p.shape.dim;
  const AttentionInputs in = p.inputs();
  double worst = 0;
  for (const int64_t query : {int64_t{0}, n / 3, n - 1}) {
    for (const int64_t head : {int64_t{0}, p.shape.heads - 1}) {
      const auto load = [&](const Tensor& x, int64_t position) {
        std::vector<double> y;
        for (int64_t d = 0; d < dim; ++d) y.push_back(element(x, begin + position, head * dim + d));
        if (p.shape.kind != Kind::kRotary) return y;
        std::vector<double> turned(y.size());
        const auto half = static_cast<size_t>(dim / 2);
        for (size_t i = 0; i < half; ++i) {
          const double c = p.cosines[static_cast<size_t>(position) * half + i],
                       s = p.sines[static_cast<size_t>(position) * half + i];
          turned[i] = y[i] * c - y[i + half] * s;
          turned[i + half] = y[i + half] * c + y[i] * s;
        }
        return turned;
      };
      const std::vector<double> q = load(in.query, query);
      std::vector<double> expected(q.size());
      double total = 0;
      for (int64_t j = 0; j < n; ++j) {
        const std::vector<double> k = load(in.key, j);
        double score = 0;
        for (size_t d = 0; d < q.size(); ++d) score += q[d] * k[d];
        score *= static_cast<double>(p.options().scale);
        if (p.shape.kind == Kind::kAlibi)
          score -= double{p.slopes[static_cast<size_t>(head)]} * static_cast<double>(std::abs(query - j));
        const double weight = std::exp(score);
        total += weight;
        for (int64_t d = 0; d < dim; ++d)
          expected[static_cast<size_t>(d)] += weight * element(in.value, begin + j, head * dim + d);
      }
      for (int64_t d = 0; d < dim; ++d)
        worst = std::max(
            worst, std::abs(expected[static_cast<size_t>(d)] / total - element(result, begin + query, head * dim + d)));
    }
  }
  return worst;
}

int run(int argc, char** argv) {
  if (!has_fast_bf16()) return std::puts("needs avx512_bf16"), 1;
  const int threads = argc > 1 ? std::atoi(argv[1]) : available_processors();
  const char* filter = argc > 2 ? argv[2] : "";
  const HeadShape shapes[] = {
      {"minilm 12x32", 12, 32, Kind::kPlain},       {"v2-small 8x64 alibi", 8, 64, Kind::kAlibi},
      {"v2-small 8x64 plain", 8, 64, Kind::kPlain}, {"v2-base 12x64 alibi", 12, 64, Kind::kAlibi},
      {"v3 16x64 rotary", 16, 64, Kind::kRotary},   {"v3 16x64 plain", 16, 64, Kind::kPlain}};
  const auto repeat = [](size_t rows, int64_t length) { return std::vector<int64_t>(rows, length); };
  const Batch batches[] = {{"1x16", repeat(1, 16)},
                           {"32x16", repeat(32, 16)},
                           {"32x128", repeat(32, 128)},
                           {"4x128", repeat(4, 128)},
                           {"4x512", repeat(4, 512)},
                           {"1x512", repeat(1, 512)},
                           {"1x2048", repeat(1, 2048)},
                           {"1x8192", repeat(1, 8192)},
                           {"mixed", {16, 500, 34, 71, 130, 12, 250, 48, 90, 20, 333, 64, 25, 180, 41, 110}}};
  ThreadPool pool(threads);
  std::printf("%-34s %-5s %9s %9s %7s %9s\n", "shape, batch", "type", "ms", "GFLOP/s", "% peak", "error");
  for (const HeadShape& shape : shapes) {
    for (const Batch& batch : batches) {
      const std::string name = std::string(shape.name) + " " + batch.name;
      if (name.find(filter) == std::string::npos) continue;
      for (const DType dtype : {DType::kF32, DType::kBF16}) {
        const Problem problem(shape, batch, dtype);
        const auto backend = make_cpu_backend({.threads = threads, .compute = dtype});
        const auto attend = [&] { return backend->attention(problem.inputs(), problem.layout, problem.options()); };
        const double wrong = error(problem, attend());
        if (!(wrong < (dtype == DType::kF32 ? 1e-5 : 2e-2)))
          return std::printf("%s: error %g\n", name.c_str(), wrong), 1;
        const double limit = peak(pool, dtype);
        const Time time = best_time(attend);
        const double share = problem.credited() / time.busy / 1e9 / limit;
        std::printf("%-34s %-5s %9.3f %9.1f %6.1f%% %9.1e\n", name.c_str(), to_string(dtype).data(), time.wall * 1e3,
                    problem.credited() / time.wall / 1e9, 100 * share, wrong);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace jina

int main(int argc, char** argv) { return jina::run(argc, argv); }
