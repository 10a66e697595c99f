#include "training/data/sampler.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/rng.h"
#include "training/data/row_order.h"

namespace jina {

namespace {

/// Draws until one is good before whatever is there is taken.
constexpr uint64_t kMostDraws = 64;

/// A number below `most` for each use of (turn, row, use): disjoint as long as a row has fewer than 2^16 uses.
class Draws {
 public:
  Draws(const Sampler& sampler, std::string_view stream, int64_t turn)
      : rng_(sampler.key, stream), first_(static_cast<uint64_t>(turn * sampler.options.batch) << 16) {}

  int64_t below(int64_t most, size_t row, uint64_t use) const {
    return static_cast<int64_t>(rng_.bits(first_ + (uint64_t{row} << 16) + use) % static_cast<uint64_t>(most));
  }

 private:
  CounterRng rng_;
  uint64_t first_;
};

int32_t original(const TokenisedRows& rows, int32_t text) { return rows.originals[static_cast<size_t>(text)]; }

/// Rows by label, of labels that have two different texts.
void index_labels(Sampler& sampler, const std::string& data) {
  const TokenisedRows& rows = *sampler.rows;
  if (rows.labels.empty()) fail(ErrorKind::kInvalidInput, data, "expected a column label, found none");
  std::vector<std::vector<int64_t>> by_label;
  for (size_t row = 0; row < rows.labels.size(); ++row) {
    const auto label = static_cast<size_t>(rows.labels[row]);
    if (label >= by_label.size()) by_label.resize(label + 1);
    by_label[label].push_back(static_cast<int64_t>(row));
  }
  sampler.label_offsets.push_back(0);
  for (const auto& members : by_label) {
    const bool has_two = std::any_of(members.begin(), members.end(), [&](int64_t row) {
      return original(rows, rows.queries[static_cast<size_t>(row)]) !=
             original(rows, rows.queries[static_cast<size_t>(members.front())]);
    });
    if (!has_two) continue;
    sampler.label_rows.insert(sampler.label_rows.end(), members.begin(), members.end());
    sampler.label_offsets.push_back(static_cast<int64_t>(sampler.label_rows.size()));
  }
  if (sampler.label_offsets.size() < 3) {
    fail(ErrorKind::kInvalidInput, data, "expected two labels or more with two different texts each, found {}",
         sampler.label_offsets.size() - 1);
  }
}

/// The negatives of a batch of rows: own ones first, then positives of rows outside the batch.
class NegativeFiller {
 public:
  NegativeFiller(const Sampler& sampler, int64_t turn, SampledBatch& batch)
      : rows_(*sampler.rows),
        wanted_(static_cast<uint64_t>(sampler.options.negatives)),
        own_draws_(sampler, "negatives", turn),
        fill_draws_(sampler, "filling", turn),
        batch_(batch) {
    for (const int32_t text : batch.queries) taken_.insert(original(rows_, text));
    for (const int32_t text : batch.positives) taken_.insert(original(rows_, text));
  }

  void run() {
    for (size_t i = 0; i < batch_.rows.size(); ++i) {
      std::vector<int32_t> own = own_negatives(static_cast<size_t>(batch_.rows[i]));
      for (uint64_t j = 0; j < wanted_; ++j) {
        if (j >= own.size()) {
          batch_.negatives.push_back(fill(i, j));
          continue;
        }
        const auto other = j + static_cast<uint64_t>(own_draws_.below(static_cast<int64_t>(own.size() - j), i, j));
        std::swap(own[j], own[other]);
        batch_.negatives.push_back(own[j]);
      }
    }
  }

 private:
  std::vector<int32_t> own_negatives(size_t row) const {
    if (rows_.negative_offsets.empty()) return {};
    const auto begin = rows_.negatives.begin();
    return {begin + rows_.negative_offsets[row], begin + rows_.negative_offsets[row + 1]};
  }

  int32_t fill(size_t row, uint64_t place) const {
    int32_t text = 0;
    for (uint64_t draw = 0; draw < kMostDraws; ++draw) {
      const int64_t other = fill_draws_.below(rows_.rows(), row, place * kMostDraws + draw);
      text = rows_.positives[static_cast<size_t>(other)];
      if (!taken_.contains(original(rows_, text)) && !is_among_last(place, text)) break;
    }
    return text;
  }

  /// Whether one of the last `count` negatives, those of the same row, is this text.
  bool is_among_last(uint64_t count, int32_t text) const {
    return std::any_of(batch_.negatives.end() - static_cast<int64_t>(count), batch_.negatives.end(),
                       [&](int32_t other) { return original(rows_, other) == original(rows_, text); });
  }

  const TokenisedRows& rows_;
  uint64_t wanted_;
  Draws own_draws_;
  Draws fill_draws_;
  std::unordered_set<int32_t> taken_;  // texts of the batch
  SampledBatch& batch_;
};

SampledBatch sample_rows(const Sampler& sampler, int64_t turn) {
  const TokenisedRows& rows = *sampler.rows;
  SampledBatch batch;
  batch.rows = batch_rows(rows, sampler.shared, sampler.key, sampler.options.batch, turn);
  for (const int64_t row : batch.rows) {
    const auto r = static_cast<size_t>(row);
    batch.queries.push_back(rows.queries[r]);
    if (!rows.positives.empty()) batch.positives.push_back(rows.positives[r]);
    if (!rows.scores.empty()) batch.scores.push_back(rows.scores[r]);
    if (!rows.labels.empty()) batch.labels.push_back(rows.labels[r]);
  }
  if (sampler.options.negatives > 0) NegativeFiller(sampler, turn, batch).run();
  return batch;
}

/// Labelled texts drawn for the rows of a batch of tuples.
class TupleDrawer {
 public:
  TupleDrawer(const Sampler& sampler, int64_t turn, SampledBatch& batch)
      : sampler_(sampler),
        rows_(*sampler.rows),
        positive_draws_(sampler, "positives", turn),
        negative_draws_(sampler, "negatives", turn),
        batch_(batch) {}

  /// `member` is the query's place in label_rows.
  void add(size_t i, int64_t member) {
    const int64_t row = sampler_.label_rows[static_cast<size_t>(member)];
    const auto r = static_cast<size_t>(row);
    batch_.rows.push_back(row);
    batch_.queries.push_back(rows_.queries[r]);
    batch_.labels.push_back(rows_.labels[r]);
    batch_.positives.push_back(draw_positive(i, member));
    std::vector<int32_t> drawn;
    for (uint64_t j = 0; j < static_cast<uint64_t>(sampler_.options.negatives); ++j) {
      const auto negative = static_cast<size_t>(draw_negative(i, j, rows_.labels[r], drawn));
      drawn.push_back(original(rows_, rows_.queries[negative]));
      batch_.negatives.push_back(rows_.queries[negative]);
      batch_.negative_labels.push_back(rows_.labels[negative]);
    }
  }

 private:
  int32_t text_of(int64_t member) const {
    return rows_.queries[static_cast<size_t>(sampler_.label_rows[static_cast<size_t>(member)])];
  }

  /// From a drawn place on, the first row of the label with another text; index_labels() saw that there is one.
  int32_t draw_positive(size_t i, int64_t member) const {
    const auto& offsets = sampler_.label_offsets;
    const auto end = std::upper_bound(offsets.begin(), offsets.end(), member);
    const int64_t begin = *(end - 1);
    const int64_t size = *end - begin;
    int64_t at = positive_draws_.below(size, i, 0);
    while (original(rows_, text_of(begin + at)) == original(rows_, text_of(member))) at = (at + 1) % size;
    return text_of(begin + at);
  }

  /// A row of another label, if possible with a text that is not among `drawn`.
  int64_t draw_negative(size_t i, uint64_t place, int32_t label, const std::vector<int32_t>& drawn) const {
    int64_t fitting = -1;
    for (uint64_t draw = 0; draw < kMostDraws; ++draw) {
      const int64_t row = negative_draws_.below(rows_.rows(), i, place * kMostDraws + draw);
      if (rows_.labels[static_cast<size_t>(row)] == label) continue;
      fitting = row;
      const int32_t text = original(rows_, rows_.queries[static_cast<size_t>(row)]);
      if (std::find(drawn.begin(), drawn.end(), text) == drawn.end()) return row;
    }
    if (fitting >= 0) return fitting;
    for (int64_t row = 0;; ++row) {  // nearly all rows have this label: the first that has not
      if (rows_.labels[static_cast<size_t>(row)] != label) return row;
    }
  }

  const Sampler& sampler_;
  const TokenisedRows& rows_;
  Draws positive_draws_;
  Draws negative_draws_;
  SampledBatch& batch_;
};

SampledBatch sample_tuples(const Sampler& sampler, int64_t turn) {
  SampledBatch batch;
  TupleDrawer drawer(sampler, turn, batch);
  const auto members = static_cast<int64_t>(sampler.label_rows.size());
  for (int64_t i = 0; i < sampler.options.batch; ++i) {
    drawer.add(static_cast<size_t>(i), stream_row(sampler.key, members, turn * sampler.options.batch + i));
  }
  return batch;
}

/// Group g of the stream of groups: label g mod labels of round g / labels, whose rows follow on from the round before.
SampledBatch sample_groups(const Sampler& sampler, int64_t turn) {
  const TokenisedRows& rows = *sampler.rows;
  const auto labels = static_cast<int64_t>(sampler.label_offsets.size()) - 1;
  const int64_t group_rows = sampler.options.rows_per_label;
  const int64_t groups = sampler.options.batch / group_rows;
  SampledBatch batch;
  for (int64_t g = turn * groups; g < (turn + 1) * groups; ++g) {
    const int64_t label = stream_row(sampler.key, labels, g);
    const int64_t begin = sampler.label_offsets[static_cast<size_t>(label)];
    const int64_t size = sampler.label_offsets[static_cast<size_t>(label) + 1] - begin;
    const uint64_t key = mix_bits(sampler.key + static_cast<uint64_t>(label) + 1);
    for (int64_t j = 0; j < group_rows; ++j) {
      const int64_t member = begin + stream_row(key, size, g / labels * group_rows + j);
      const auto row = static_cast<size_t>(sampler.label_rows[static_cast<size_t>(member)]);
      batch.rows.push_back(static_cast<int64_t>(row));
      batch.queries.push_back(rows.queries[row]);
      batch.labels.push_back(rows.labels[row]);
    }
  }
  return batch;
}

void check_options(const TokenisedRows& rows, const SamplerOptions& options, const std::string& data) {
  if (rows.rows() == 0) fail(ErrorKind::kInvalidInput, data, "expected rows, found none");
  if (options.batch <= 0) fail(ErrorKind::kInvalidInput, data, "batch: expected at least 1, found {}", options.batch);
  if (options.kind == BatchKind::kRows && !rows.positives.empty() && rows.rows() < options.batch) {
    fail(ErrorKind::kInvalidInput, data,
         "a batch of {} rows out of {} would hold rows twice, which are no negatives of themselves; expected a smaller "
         "batch or more rows",
         options.batch, rows.rows());
  }
  if (options.kind == BatchKind::kRows && options.negatives > 0 && rows.positives.empty()) {
    fail(ErrorKind::kInvalidInput, data, "negatives: expected a column positive beside them, found none");
  }
  if (options.kind != BatchKind::kClassGroups) return;
  if (options.rows_per_label < 2 || options.batch % options.rows_per_label != 0) {
    fail(ErrorKind::kInvalidInput, data, "batch: expected a multiple of the {} rows per label, found {}",
         options.rows_per_label, options.batch);
  }
}

}  // namespace

Sampler prepare_sampler(const TokenisedRows& rows, const SamplerOptions& options, uint64_t seed,
                        const std::string& stage, const std::string& data) {
  check_options(rows, options, data);
  Sampler sampler;
  sampler.rows = &rows;
  sampler.options = options;
  sampler.key = CounterRng(seed, stage + "/" + data).bits(0);
  if (options.kind == BatchKind::kRows) {
    sampler.shared = find_shared_rows(rows);
  } else {
    index_labels(sampler, data);
  }
  return sampler;
}

SampledBatch sample_batch(const Sampler& sampler, int64_t turn) {
  switch (sampler.options.kind) {
    case BatchKind::kRows: return sample_rows(sampler, turn);
    case BatchKind::kClassTuples: return sample_tuples(sampler, turn);
    case BatchKind::kClassGroups: return sample_groups(sampler, turn);
  }
  return {};
}

}  // namespace jina
