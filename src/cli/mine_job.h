#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "cli/pair_rows.h"
#include "search/negatives.h"

namespace jina::cli {

enum class MineMethod : uint8_t { kDense, kWords, kBoth };

/// The options of `jina mine`, parsed.
struct MineJob {
  ModelOptions model;
  std::string input;
  std::vector<std::string> corpus;  ///< files with further texts that may become negatives
  std::string path;                 ///< output file
  PairFields fields;
  MineMethod method = MineMethod::kBoth;
  NegativeRules rules;
  double near_duplicate = 0.8;  ///< word overlap from which a text counts as one of the positives; 0: off
  std::optional<std::string> query_task;
  std::optional<std::string> positive_task;
  bool has_scores = false;     ///< write them
  bool only_full = false;      ///< leave out rows that get fewer negatives than asked for
  int64_t block_rows = 16384;  ///< documents whose vectors are in memory at once
};

/// Finds hard negatives for every pair of the input.
void run_mine(const MineJob& job, const Environment& environment);

}  // namespace jina::cli
