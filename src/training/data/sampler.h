#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "training/data/tokenised_rows.h"

namespace jina {

/// How a batch is put together from the rows of a data set.
enum class BatchKind : uint8_t {
  kRows,         ///< rows as they are, each once per epoch
  kClassTuples,  ///< labelled texts: a query, a positive of its label, negatives of other labels
  kClassGroups,  ///< labelled texts: several rows of each of some labels
};

struct SamplerOptions {
  BatchKind kind = BatchKind::kRows;
  int64_t batch = 0;           ///< rows over all ranks
  int64_t negatives = 0;       ///< of each row; for kRows 0 unless the data set has negatives
  int64_t rows_per_label = 4;  ///< for kClassGroups
};

/// What sampling a data set needs besides its rows; made once by prepare_sampler().
struct Sampler {
  const TokenisedRows* rows = nullptr;  ///< not owned
  SamplerOptions options;
  uint64_t key = 0;
  std::vector<uint64_t> shared;        // (rows / 64) rows that have a text of another row
  std::vector<int64_t> label_offsets;  // (labels + 1) of labels with two texts or more
  std::vector<int64_t> label_rows;     // rows by label
};

/// The texts of one batch, by their numbers in TokenisedRows.
struct SampledBatch {
  std::vector<int64_t> rows;             // (batch) of the query
  std::vector<int32_t> queries;          // (batch)
  std::vector<int32_t> positives;        // (batch) or empty
  std::vector<int32_t> negatives;        // (batch, negatives) or empty
  std::vector<float> scores;             // (batch) or empty
  std::vector<int32_t> labels;           // (batch) or empty
  std::vector<int32_t> negative_labels;  // (batch, negatives) for kClassTuples, else empty
};

/// `seed`, `stage` and `data` (names) choose the order. `rows` must outlive the sampler.
/// Errors kInvalidInput: labels that are wanted and absent, fewer than two labels with two rows each, a batch of 0,
/// more rows in a batch of pairs than there are.
Sampler prepare_sampler(const TokenisedRows& rows, const SamplerOptions& options, uint64_t seed,
                        const std::string& stage, const std::string& data);

/// Batch `turn` (StageSchedule::turns) of a data set: a function of the sampler and `turn` alone.
/// - kRows: batch_rows() of row_order.h. Each row has exactly `negatives` negatives: of more, some are drawn anew each
///   turn; the rest are positives of other rows, drawn so that they equal no text of the batch as far as that can be.
/// - kClassTuples: every row of a label with two texts is a query once per epoch; positive and negatives are drawn, the
///   positive never with the query's own text, negatives of other labels and different from each other.
/// - kClassGroups: labels take turns in an order shuffled anew each round, and so do the rows of each label.
SampledBatch sample_batch(const Sampler& sampler, int64_t turn);

}  // namespace jina
