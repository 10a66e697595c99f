#include "evaluation/pairs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
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
  std::optional<Rows> negatives;
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
  bool is_empty() const { return documents_.empty(); }
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

/// The positive of a row and its own negatives; nothing when it has none.
Corpus own_corpus(const EmbeddedPairs& pairs, const PairRows& rows, size_t row) {
  Corpus corpus;
  if (!rows.negatives) return corpus;
  const int64_t begin = pairs.negative_offsets[row], end = pairs.negative_offsets[row + 1];
  if (begin < end) corpus.add(pairs.documents[row], rows.positives.row(row));
  for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
    corpus.add(pairs.negative_documents[i], rows.negatives->row(i));
  }
  return corpus;
}

double search_mean(const Measure& measure, const EmbeddedPairs& pairs, const PairRows& rows) {
  Corpus all;
  for (size_t row = 0; row < pairs.documents.size(); ++row) all.add(pairs.documents[row], rows.positives.row(row));
  double sum = 0;
  for (size_t row = 0; row < pairs.documents.size(); ++row) {
    const Corpus own = own_corpus(pairs, rows, row);
    sum += measure((own.is_empty() ? all : own).rank(rows.queries.row(row), pairs.documents[row]));
  }
  return sum / static_cast<double>(pairs.documents.size());
}

}  // namespace

double measure_pairs(std::string_view measure, const EmbeddedPairs& pairs, int64_t dimensions) {
  const size_t count = pairs.documents.size();
  if (count == 0) fail(ErrorKind::kInvalidInput, std::string(measure), "expected pairs to measure, found none");
  PairRows rows{Rows(pairs.queries, count, dimensions), Rows(pairs.positives, count, dimensions), {}};
  if (const size_t negatives = pairs.negative_documents.size(); negatives > 0) {
    JINA_CHECK(pairs.negative_offsets.size() == count + 1);
    rows.negatives.emplace(pairs.negatives, negatives, dimensions);
  }
  if (measure == "spearman" || measure == "pearson") return correlation(measure, pairs, rows);
  const Measure search = find_measure(measure);
  if (!search) {
    fail(ErrorKind::kInvalidInput, std::string(measure),
         "unknown measure; expected spearman, pearson, recall@K, ndcg@K or map");
  }
  return search_mean(search, pairs, rows);
}

}  // namespace jina
