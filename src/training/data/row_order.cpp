#include "training/data/row_order.h"

#include <algorithm>
#include <optional>

#include "base/rng.h"
#include "training/data/permutation.h"

namespace jina {

namespace {

constexpr int64_t kWindowBatches = 16;
constexpr size_t kMostExchanges = 64;  // rows of one batch that are tried, so that the work stays linear

uint64_t epoch_key(uint64_t key, int64_t epoch) {
  return mix_bits(key + 0x9E3779B97F4A7C15u * (static_cast<uint64_t>(epoch) + 1));
}

/// The texts of a row as numbers that are equal for equal texts, whatever their prompts.
class RowTexts {
 public:
  explicit RowTexts(const TokenisedRows& rows) : rows_(rows) {}

  int32_t query(size_t row) const { return original(rows_.queries[row]); }
  bool has_positive() const { return !rows_.positives.empty(); }
  int32_t positive(size_t row) const { return original(rows_.positives[row]); }
  int64_t negatives_begin(size_t row) const { return rows_.negative_offsets.empty() ? 0 : rows_.negative_offsets[row]; }
  int64_t negatives_end(size_t row) const {
    return rows_.negative_offsets.empty() ? 0 : rows_.negative_offsets[row + 1];
  }
  int32_t negative(int64_t place) const { return original(rows_.negatives[static_cast<size_t>(place)]); }

 private:
  int32_t original(int32_t text) const { return rows_.originals[static_cast<size_t>(text)]; }
  const TokenisedRows& rows_;
};

/// How often each text was added; a hash table with open addresses, since this is most of the work of a batch.
class TextCounts {
 public:
  bool contains(int32_t text) const { return !slots_.empty() && slots_[find(text)].count > 0; }
  void add(int32_t text, int change) {
    if (used_ * 2 >= slots_.size()) grow();
    Slot& slot = slots_[find(text)];
    if (slot.text < 0) ++used_;
    slot.text = text;
    slot.count += change;
  }

 private:
  struct Slot {
    int32_t text = -1;  // −1: free
    int32_t count = 0;
  };

  size_t find(int32_t text) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = mix_bits(static_cast<uint64_t>(text)) & mask;
    while (slots_[slot].text >= 0 && slots_[slot].text != text) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(std::max(size_t{64}, old.size() * 2), {});
    for (const Slot& slot : old) {
      if (slot.text >= 0) slots_[find(slot.text)] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

/// One batch of a window, with how often each text is in it.
class WindowBatch {
 public:
  std::vector<int64_t> rows;

  bool has_conflict(const RowTexts& texts, int64_t row) const {
    const auto r = static_cast<size_t>(row);
    if (is_anywhere(texts.query(r)) || (texts.has_positive() && is_anywhere(texts.positive(r)))) return true;
    for (int64_t i = texts.negatives_begin(r); i < texts.negatives_end(r); ++i) {
      if (counts_.contains(texts.negative(i))) return true;
    }
    return false;
  }
  void count(const RowTexts& texts, int64_t row, int change) {
    const auto r = static_cast<size_t>(row);
    counts_.add(texts.query(r), change);
    if (texts.has_positive()) counts_.add(texts.positive(r), change);
    for (int64_t i = texts.negatives_begin(r); i < texts.negatives_end(r); ++i) {
      negative_counts_.add(texts.negative(i), change);
    }
  }

 private:
  bool is_anywhere(int32_t text) const { return counts_.contains(text) || negative_counts_.contains(text); }

  TextCounts counts_;  // queries and positives
  TextCounts negative_counts_;
};

/// The batches of one window.
class Window {
 public:
  Window(const TokenisedRows& rows, const std::vector<uint64_t>& shared, bool is_one_epoch)
      : texts_(rows), shared_(shared), is_one_epoch_(is_one_epoch) {}

  std::vector<int64_t> arrange(const std::vector<int64_t>& stream, int64_t batch, size_t wanted) {
    const auto size = static_cast<size_t>(batch);
    batches_.resize(stream.size() / size);
    struct Waiting {
      int64_t row;
      size_t home;
    };
    std::vector<Waiting> waiting;
    for (size_t i = 0; i < stream.size(); ++i) {
      const size_t home = i / size;
      if (!may_conflict(stream[i])) {
        batches_[home].rows.push_back(stream[i]);
      } else if (!batches_[home].has_conflict(texts_, stream[i])) {
        place(stream[i], home);
      } else {
        waiting.push_back({stream[i], home});
      }
    }
    for (const auto& [row, home] : waiting) {
      if (!place_in_gap(row, home, size) && !place_by_exchange(row, size))
        batches_[first_gap(size)].rows.push_back(row);
    }
    return batches_[wanted].rows;
  }

 private:
  /// Across epochs a row may meet itself.
  bool may_conflict(int64_t row) const {
    return !is_one_epoch_ || (shared_[static_cast<size_t>(row) / 64] >> (row % 64) & 1) != 0;
  }

  void place(int64_t row, size_t batch) {
    batches_[batch].rows.push_back(row);
    batches_[batch].count(texts_, row, 1);
  }

  size_t first_gap(size_t size) const {
    size_t batch = 0;
    while (batches_[batch].rows.size() == size) ++batch;
    return batch;
  }

  /// Puts a row into the next batch that has room for it and no equal text.
  bool place_in_gap(int64_t row, size_t home, size_t size) {
    for (size_t turn = 1; turn <= batches_.size(); ++turn) {
      const size_t batch = (home + turn) % batches_.size();
      if (batches_[batch].rows.size() == size || batches_[batch].has_conflict(texts_, row)) continue;
      place(row, batch);
      return true;
    }
    return false;
  }

  /// Puts a row into a full batch without an equal text, one of whose rows goes into a gap.
  bool place_by_exchange(int64_t row, size_t size) {
    const size_t gap = first_gap(size);
    for (size_t batch = 0; batch < batches_.size(); ++batch) {
      if (batch == gap || batches_[batch].has_conflict(texts_, row)) continue;
      for (size_t i = 0; i < std::min(batches_[batch].rows.size(), kMostExchanges); ++i) {
        const int64_t other = batches_[batch].rows[i];
        const bool is_counted = may_conflict(other);
        if (is_counted && batches_[gap].has_conflict(texts_, other)) continue;
        if (is_counted) batches_[batch].count(texts_, other, -1);
        batches_[batch].rows[i] = row;
        batches_[batch].count(texts_, row, 1);
        batches_[gap].rows.push_back(other);
        if (is_counted) batches_[gap].count(texts_, other, 1);
        return true;
      }
    }
    return false;
  }

  RowTexts texts_;
  const std::vector<uint64_t>& shared_;
  bool is_one_epoch_;
  std::vector<WindowBatch> batches_;
};

}  // namespace

int64_t stream_row(uint64_t key, int64_t rows, int64_t position) {
  const Permutation permutation(static_cast<uint64_t>(rows), epoch_key(key, position / rows));
  return static_cast<int64_t>(permutation[static_cast<uint64_t>(position % rows)]);
}

std::vector<uint64_t> find_shared_rows(const TokenisedRows& rows) {
  constexpr int32_t kNobody = -1;
  constexpr int32_t kSeveral = -2;
  const RowTexts texts(rows);
  const auto count = static_cast<size_t>(rows.rows());
  int32_t most = 0;
  for (const int32_t original : rows.originals) most = std::max(most, original + 1);
  std::vector<int32_t> owners(static_cast<size_t>(most), kNobody);  // the row that has a text
  const auto for_each_text = [&](size_t row, auto&& body) {
    body(texts.query(row));
    if (texts.has_positive()) body(texts.positive(row));
    for (int64_t i = texts.negatives_begin(row); i < texts.negatives_end(row); ++i) body(texts.negative(i));
  };
  for (size_t row = 0; row < count; ++row) {
    for_each_text(row, [&](int32_t text) {
      int32_t& owner = owners[static_cast<size_t>(text)];
      if (owner != static_cast<int32_t>(row)) owner = owner == kNobody ? static_cast<int32_t>(row) : kSeveral;
    });
  }
  std::vector<uint64_t> shared((count + 63) / 64, 0);
  for (size_t row = 0; row < count; ++row) {
    for_each_text(row, [&](int32_t text) {
      if (owners[static_cast<size_t>(text)] == kSeveral) shared[row / 64] |= uint64_t{1} << row % 64;
    });
  }
  return shared;
}

std::vector<int64_t> batch_rows(const TokenisedRows& rows, const std::vector<uint64_t>& shared, uint64_t key,
                                int64_t batch, int64_t turn) {
  const int64_t count = rows.rows();
  const int64_t first = turn / kWindowBatches * kWindowBatches * batch;
  const int64_t last = first + kWindowBatches * batch - 1;
  std::vector<int64_t> stream;
  stream.reserve(static_cast<size_t>(kWindowBatches * batch));
  std::optional<Permutation> permutation;
  for (int64_t position = first; position <= last; ++position) {
    if (!permutation || position % count == 0) {
      permutation.emplace(static_cast<uint64_t>(count), epoch_key(key, position / count));
    }
    stream.push_back(static_cast<int64_t>((*permutation)[static_cast<uint64_t>(position % count)]));
  }
  Window window(rows, shared, first / count == last / count);
  return window.arrange(stream, batch, static_cast<size_t>(turn % kWindowBatches));
}

}  // namespace jina
