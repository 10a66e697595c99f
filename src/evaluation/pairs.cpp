#include "evaluation/pairs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>
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

struct PairRows {
  Rows queries;
  Rows positives;
};

double correlation(std::string_view measure, const EmbeddedPairs& pairs, const PairRows& rows) {
  if (pairs.scores.size() != pairs.documents.size()) {
    fail(ErrorKind::kInvalidInput, std::string(measure), "expected a score for each of {} pairs, found {}",
         pairs.documents.size(), pairs.scores.size());
  }
  std::vector<double> cosines;
  for (size_t row = 0; row < pairs.scores.size(); ++row) {
    cosines.push_back(dot(rows.queries.row(row), rows.positives.row(row)));
  }
  return measure == "spearman" ? spearman(cosines, pairs.scores) : pearson(cosines, pairs.scores);
}

/// What a query searches; equal texts are one document.
class Corpus {
 public:
  void add(const std::string& text, std::span<const float> vector) {
    if (texts_.insert(text).second) documents_.emplace_back(&text, vector);
  }
  RankedResults rank(std::span<const float> query, const std::string& relevant) const {
    std::vector<ScoredDocument> found;
    found.reserve(documents_.size());
    for (const auto& [text, vector] : documents_) found.push_back({*text, dot(query, vector)});
    return rank_results(std::move(found), {{relevant, 1}});
  }

 private:
  std::set<std::string_view> texts_;
  std::vector<std::pair<const std::string*, std::span<const float>>> documents_;
};

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

double search_mean(const Measure& measure, const EmbeddedPairs& pairs, const PairRows& rows) {
  Corpus corpus;
  for (size_t row = 0; row < pairs.documents.size(); ++row) corpus.add(pairs.documents[row], rows.positives.row(row));
  double sum = 0;
  for (size_t row = 0; row < pairs.documents.size(); ++row) {
    sum += measure(corpus.rank(rows.queries.row(row), pairs.documents[row]));
  }
  return sum / static_cast<double>(pairs.documents.size());
}

/// Each query among its own negatives.
double own_search_mean(const Measure& measure, const EmbeddedPairs& pairs, const PairRows& rows, int64_t dimensions) {
  const std::vector<int64_t>& offsets = pairs.negative_offsets;
  const size_t count = pairs.documents.size();
  JINA_CHECK(offsets.size() == count + 1 && offsets.back() == static_cast<int64_t>(pairs.negative_documents.size()));
  const Rows negatives(pairs.negatives, pairs.negative_documents.size(), dimensions);
  double sum = 0;
  for (size_t row = 0; row < count; ++row) {
    if (offsets[row] == offsets[row + 1]) {
      fail(ErrorKind::kInvalidInput, "negatives", "expected one or more for each query, found none for '{}'",
           pairs.documents[row]);
    }
    Corpus corpus;
    corpus.add(pairs.documents[row], rows.positives.row(row));
    for (auto i = static_cast<size_t>(offsets[row]); i < static_cast<size_t>(offsets[row + 1]); ++i) {
      corpus.add(pairs.negative_documents[i], negatives.row(i));
    }
    sum += measure(corpus.rank(rows.queries.row(row), pairs.documents[row]));
  }
  return sum / static_cast<double>(count);
}

}  // namespace

double measure_pairs(std::string_view measure, const EmbeddedPairs& pairs, int64_t dimensions) {
  const size_t count = pairs.documents.size();
  if (count == 0) fail(ErrorKind::kInvalidInput, std::string(measure), "expected pairs to measure, found none");
  const PairRows rows{Rows(pairs.queries, count, dimensions), Rows(pairs.positives, count, dimensions)};
  if (measure == "spearman" || measure == "pearson") return correlation(measure, pairs, rows);
  const Measure search = find_measure(measure);
  if (!search) {
    fail(ErrorKind::kInvalidInput, std::string(measure),
         "unknown measure; expected spearman, pearson, recall@K, ndcg@K or map");
  }
  return pairs.negatives.empty() ? search_mean(search, pairs, rows) : own_search_mean(search, pairs, rows, dimensions);
}

}  // namespace jina
