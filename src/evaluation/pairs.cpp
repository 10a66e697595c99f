#include "evaluation/pairs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <span>

#include "base/error.h"
#include "evaluation/metrics.h"

namespace jina {

namespace {

/// Rows of unit length, cut from wider ones.
class Rows {
 public:
  Rows(const std::vector<float>& values, size_t rows, int64_t dimensions) {
    const size_t wide = values.size() / rows;
    width_ = dimensions > 0 ? static_cast<size_t>(dimensions) : wide;
    if (width_ > wide || wide * rows != values.size()) {
      fail(ErrorKind::kInvalidInput, "vectors", "expected {} rows of at least {} numbers, found {} numbers", rows,
           width_, values.size());
    }
    for (size_t row = 0; row < rows; ++row) {
      const std::span<const float> cut = std::span(values).subspan(row * wide, width_);
      double square = 0;
      for (const float value : cut) square += static_cast<double>(value) * value;
      const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
      for (const float value : cut) values_.push_back(static_cast<float>(value * scale));
    }
  }

  std::span<const float> row(size_t index) const { return std::span(values_).subspan(index * width_, width_); }

 private:
  std::vector<float> values_;
  size_t width_ = 0;
};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

double correlation(std::string_view measure, const EmbeddedPairs& pairs, const Rows& queries, const Rows& positives) {
  if (pairs.scores.size() != pairs.documents.size()) {
    fail(ErrorKind::kInvalidInput, std::string(measure), "expected a score for each of {} pairs, found {}",
         pairs.documents.size(), pairs.scores.size());
  }
  std::vector<double> cosines;
  for (size_t row = 0; row < pairs.scores.size(); ++row) cosines.push_back(dot(queries.row(row), positives.row(row)));
  return measure == "spearman" ? spearman(cosines, pairs.scores) : pearson(cosines, pairs.scores);
}

/// The rows whose documents are the first of their text.
std::vector<size_t> distinct_documents(const std::vector<std::string>& documents) {
  std::map<std::string_view, size_t> seen;
  std::vector<size_t> rows;
  for (size_t row = 0; row < documents.size(); ++row) {
    if (seen.emplace(documents[row], row).second) rows.push_back(row);
  }
  return rows;
}

using Measure = std::function<double(const RankedResults& results)>;

/// "recall@10", "ndcg@10", "map"; an empty function for others.
Measure find_measure(std::string_view name) {
  if (name == "map") return average_precision;
  const size_t at = std::min(name.find('@'), name.size());
  int64_t depth = 0;
  const char* end = name.data() + name.size();
  const auto [stop, code] = std::from_chars(name.data() + std::min(at + 1, name.size()), end, depth);
  if (code != std::errc() || stop != end || depth < 1) return {};
  const std::string_view kind = name.substr(0, at);
  if (kind == "recall") return [depth](const RankedResults& results) { return recall_at(results, depth); };
  if (kind == "ndcg") return [depth](const RankedResults& results) { return ndcg_at(results, depth); };
  return {};
}

double search_mean(const Measure& measure, const EmbeddedPairs& pairs, const Rows& queries, const Rows& positives) {
  const std::vector<size_t> corpus = distinct_documents(pairs.documents);
  double sum = 0;
  for (size_t row = 0; row < pairs.documents.size(); ++row) {
    std::vector<ScoredDocument> found;
    found.reserve(corpus.size());
    for (const size_t document : corpus) {
      found.push_back({pairs.documents[document], dot(queries.row(row), positives.row(document))});
    }
    sum += measure(rank_results(std::move(found), {{pairs.documents[row], 1}}));
  }
  return sum / static_cast<double>(pairs.documents.size());
}

}  // namespace

double measure_pairs(std::string_view measure, const EmbeddedPairs& pairs, int64_t dimensions) {
  const size_t rows = pairs.documents.size();
  if (rows == 0) fail(ErrorKind::kInvalidInput, std::string(measure), "expected pairs to measure, found none");
  const Rows queries(pairs.queries, rows, dimensions);
  const Rows positives(pairs.positives, rows, dimensions);
  if (measure == "spearman" || measure == "pearson") return correlation(measure, pairs, queries, positives);
  const Measure search = find_measure(measure);
  if (!search) {
    fail(ErrorKind::kInvalidInput, std::string(measure),
         "unknown measure; expected spearman, pearson, recall@K, ndcg@K or map");
  }
  return search_mean(search, pairs, queries, positives);
}

}  // namespace jina
