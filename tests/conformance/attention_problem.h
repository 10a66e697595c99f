#pragma once

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "conformance/reference.h"

// Attention of a backend against softmax in float64 over the same (rounded) inputs.

namespace jina::test {

struct Case {
  std::vector<int64_t> lengths;
  int64_t heads = 2;
  int64_t dim = 32;
  DType dtype = DType::kF32;
  enum Kind { kPlain, kAlibi, kRotary } kind = kPlain;
  int threads = 1;
  Device device = Device::kCpu;
  float spread = 1;  // standard deviation of queries, keys and values
};

inline std::string name_of(const Case& c) {
  return fmt::format("{} tokens in {} rows, {} heads of {}, {}, kind {}, {} threads, spread {}",
                     std::accumulate(c.lengths.begin(), c.lengths.end(), int64_t{0}), c.lengths.size(), c.heads, c.dim,
                     to_string(c.dtype), static_cast<int>(c.kind), c.threads, c.spread);
}

/// Slopes of Press et al. 2022: powers of two, and every other slope of twice as many heads beyond a power of two.
inline std::vector<float> alibi_slopes(int64_t heads) {
  const auto geometric = [](int64_t n, int64_t k) {
    return static_cast<float>(std::pow(2.0, -8.0 * static_cast<double>(k + 1) / static_cast<double>(n)));
  };
  int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  std::vector<float> slopes;
  for (int64_t k = 0; k < power; ++k) slopes.push_back(geometric(power, k));
  for (int64_t k = 0; static_cast<int64_t>(slopes.size()) < heads; k += 2) slopes.push_back(geometric(2 * power, k));
  return slopes;
}

/// One call of attention with everything it points to. Query, key and value are columns of one tensor, with a guard
/// column on each side and a guard row at each end that must stay as they are.
class Problem {
 public:
  explicit Problem(const Case& c) : case_(c) {
    for (const int64_t length : c.lengths) layout_.append(length);
    const int64_t half = c.dim / 2, longest = layout_.longest();
    slopes_ = alibi_slopes(c.heads);
    for (int64_t p = 0; p < longest; ++p) {
      for (int64_t i = 0; i < half; ++i) {
        const double angle =
            static_cast<double>(p) * std::pow(20000.0, -static_cast<double>(i) / static_cast<double>(half));
        cosines_.push_back(static_cast<float>(std::cos(angle)));
        sines_.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0, c.spread);
    fused_ = make_tensor(c.dtype, {layout_.tokens() + 2, 3 * width() + 2});
    for (int64_t t = 0; t < fused_.rows(); ++t)
      for (int64_t i = 0; i < fused_.width(); ++i) set_element(fused_, t, i, double{normal(random)});
  }

  int64_t width() const { return case_.heads * case_.dim; }
  const PackedLayout& layout() const { return layout_; }
  const Tensor& fused() const { return fused_; }
  /// Element of the query (part 0), key (1) or value (2) of a token.
  double get(int part, int64_t token, int64_t column) const {
    return element(fused_, token + 1, 1 + part * width() + column);
  }
  void put(int part, int64_t token, int64_t column, double value) {
    set_element(fused_, token + 1, 1 + part * width() + column, value);
  }

  AttentionInputs views(const Tensor& fused) const {
    const Tensor rows = fused.rows(1, layout_.tokens() + 1);
    const auto part = [&](int64_t k) { return rows.columns(1 + k * width(), 1 + (k + 1) * width()); };
    return {part(0), part(1), part(2)};
  }

  AttentionOptions options() const {
    AttentionOptions o{.heads = case_.heads,
                       .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(case_.dim))),
                       .positions = {}};
    if (case_.kind == Case::kAlibi) o.positions = AlibiBias{slopes_};
    if (case_.kind == Case::kRotary) o.positions = RotaryTables{cosines_, sines_};
    return o;
  }

  Tensor run() const { return run_with(case_.threads); }
  Tensor run_with(int threads) const {
    return make_backend({.device = case_.device, .compute = case_.dtype, .threads = threads})
        ->attention(views(fused_), layout_, options());
  }

  /// Keys (part 1) or values (2) of a row and head.
  std::vector<std::vector<double>> all_of(int part, int64_t row, int64_t head) const {
    std::vector<std::vector<double>> all;
    for (int64_t j = 0; j < layout_.length(row); ++j) all.push_back(load(part, layout_.begin(row) + j, j, head));
    return all;
  }

  /// The naive definition, one query of one head: softmax(scale q k^T + bias) v in float64.
  std::vector<double> reference(const std::vector<double>& q, const std::vector<std::vector<double>>& keys,
                                const std::vector<std::vector<double>>& values, double slope, int64_t query,
                                double ignore_beyond) const {
    std::vector<double> scores;
    for (size_t j = 0; j < keys.size(); ++j) {
      double score = 0;
      for (size_t d = 0; d < q.size(); ++d) score += q[d] * keys[j][d];
      score *= static_cast<double>(options().scale);
      const double bias = slope * std::abs(static_cast<double>(query) - static_cast<double>(j));
      if (case_.kind == Case::kAlibi)
        score = bias > ignore_beyond ? -std::numeric_limits<double>::infinity() : score - bias;
      scores.push_back(score);
    }
    const double most = *std::ranges::max_element(scores);
    double total = 0;
    for (double& s : scores) total += s = std::exp(s - most);
    std::vector<double> out(q.size());
    for (size_t j = 0; j < keys.size(); ++j)
      for (size_t d = 0; d < out.size(); ++d) out[d] += scores[j] / total * values[j][d];
    return out;
  }

  /// Largest difference to the reference, over every `step`-th query of every head, relative to the largest value.
  double error(const Tensor& result, int64_t step = 1, double ignore_beyond = 1e30) const {
    double worst = 0, largest = 0;
    for (int64_t t = 0; t < layout_.tokens(); ++t)
      for (int64_t i = 0; i < width(); ++i) largest = std::max(largest, std::abs(get(2, t, i)));
    for (int64_t row = 0; row < layout_.rows(); ++row) {
      for (int64_t head = 0; head < case_.heads; ++head) {
        const auto keys = all_of(1, row, head), values = all_of(2, row, head);
        const double slope = static_cast<double>(slopes_[static_cast<size_t>(head)]);
        for (int64_t query = 0; query < layout_.length(row); query += step) {
          const int64_t token = layout_.begin(row) + query;
          const auto expected = reference(load(0, token, query, head), keys, values, slope, query, ignore_beyond);
          for (int64_t d = 0; d < case_.dim; ++d) {
            const double difference =
                std::abs(element(result, token, head * case_.dim + d) - expected[static_cast<size_t>(d)]);
            if (!(difference <= worst)) worst = difference;  // keeps NaN
          }
        }
      }
    }
    return worst / largest;
  }

 private:
  std::vector<double> load(int part, int64_t token, int64_t position, int64_t head) const {
    std::vector<double> x;
    for (int64_t d = 0; d < case_.dim; ++d) x.push_back(get(part, token, head * case_.dim + d));
    if (case_.kind != Case::kRotary || part == 2) return x;
    const auto half = static_cast<size_t>(case_.dim / 2);
    std::vector<double> turned(x.size());
    for (size_t i = 0; i < half; ++i) {
      const double c = cosines_[static_cast<size_t>(position) * half + i],
                   s = sines_[static_cast<size_t>(position) * half + i];
      turned[i] = x[i] * c - x[i + half] * s;
      turned[i + half] = x[i + half] * c + x[i] * s;
    }
    return turned;
  }

  Case case_;
  PackedLayout layout_;
  Tensor fused_;
  std::vector<float> slopes_, cosines_, sines_;
};

}  // namespace jina::test
