#include "evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"

namespace jina {

namespace {

/// The first `depth` relevances; trec_eval reads missing ranks as not relevant.
std::span<const int> first(const std::vector<int>& relevance, int64_t depth) {
  return std::span(relevance).first(std::min(relevance.size(), static_cast<size_t>(std::max<int64_t>(depth, 0))));
}

double discounted_gain(std::span<const int> relevance) {
  double gain = 0;
  for (size_t i = 0; i < relevance.size(); ++i) {
    if (relevance[i] > 0) gain += relevance[i] / std::log2(static_cast<double>(i) + 2);
  }
  return gain;
}

}  // namespace

double pearson(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 2) {
    fail(ErrorKind::kInvalidInput, "correlation", "expected two lists of the same length, at least 2; found {} and {}",
         a.size(), b.size());
  }
  const auto count = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / count;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / count;
  double both = 0;
  double square_a = 0;
  double square_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i] - mean_a;
    const double y = b[i] - mean_b;
    both += x * y;
    square_a += x * x;
    square_b += y * y;
  }
  return std::clamp(both / (std::sqrt(square_a) * std::sqrt(square_b)), -1.0, 1.0);
}

std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = static_cast<double>(begin + 1 + end) / 2;  // mean of begin + 1 … end
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = shared;
    begin = end;
  }
  return ranks;
}

double spearman(std::span<const double> a, std::span<const double> b) {
  return pearson(average_ranks(a), average_ranks(b));
}

RankedResults rank_results(std::vector<ScoredDocument> documents, const Judgements& judgements) {
  std::ranges::sort(documents, [](const ScoredDocument& a, const ScoredDocument& b) {
    return a.score != b.score ? a.score > b.score : a.id > b.id;
  });
  RankedResults results;
  results.relevance.reserve(documents.size());
  for (const ScoredDocument& document : documents) {
    const auto judged = judgements.find(document.id);
    results.relevance.push_back(judged == judgements.end() ? 0 : judged->second);
  }
  for (const auto& [id, relevance] : judgements) {
    if (relevance > 0) results.ideal.push_back(relevance);
  }
  std::ranges::sort(results.ideal, std::greater<>());
  return results;
}

double recall_at(const RankedResults& results, int64_t depth) {
  if (results.ideal.empty()) return 0;
  const auto found =
      std::ranges::count_if(first(results.relevance, depth), [](int relevance) { return relevance > 0; });
  return static_cast<double>(found) / static_cast<double>(results.ideal.size());
}

double ndcg_at(const RankedResults& results, int64_t depth) {
  const double best = discounted_gain(first(results.ideal, depth));
  return best > 0 ? discounted_gain(first(results.relevance, depth)) / best : 0;
}

double average_precision(const RankedResults& results) {
  if (results.ideal.empty()) return 0;
  double sum = 0;
  double found = 0;
  for (size_t i = 0; i < results.relevance.size(); ++i) {
    if (results.relevance[i] > 0) sum += ++found / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(results.ideal.size());
}

double reciprocal_rank_at(const RankedResults& results, int64_t depth) {
  const std::span<const int> relevance = first(results.relevance, depth);
  const auto found = std::ranges::find_if(relevance, [](int value) { return value > 0; });
  return found == relevance.end() ? 0 : 1.0 / static_cast<double>(found - relevance.begin() + 1);
}

}  // namespace jina
