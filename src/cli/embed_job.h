#pragma once

#include <string>
#include <vector>

#include "cli/input_rows.h"
#include "cli/model_options.h"
#include "cli/output_rows.h"

namespace jina::cli {

/// Row r is worked on when r mod count == index.
struct Shard {
  int64_t index = 0;
  int64_t count = 1;
  bool owns(int64_t row) const { return row % count == index; }
};

/// Parses "I/N". Error kInvalidArgument.
Shard parse_shard(const std::string& text);

/// The options of `jina embed`, parsed.
struct EmbedJob {
  ModelOptions model;
  std::vector<std::string> texts;  ///< from the command line
  std::string input;               ///< file, directory or "-"; empty when `texts` are given
  RowSettings rows;
  OutputSettings output;
  EmbedOptions embed;
  std::string path;  ///< output file; empty: standard output
  Shard shard;
  bool has_meta = false;
  bool is_resumed = false;
  bool skips_errors = false;
};

/// Embeds every row of the job's input.
void run_embed(EmbedJob job, const Environment& environment);

}  // namespace jina::cli
