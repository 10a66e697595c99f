#pragma once

#include <string>
#include <vector>

#include "cli/verification.h"

namespace jina::cli {

/// What the comparisons have found so far.
struct Findings {
  VerifyReport report{};
  std::vector<const ExpectedRun*> failed_runs{};
  std::vector<std::string> tensors{};  ///< those whose values differ, each with by how much
  bool has_config_number = false;      ///< some of Expectation::config was in config.json
  bool is_explained = false;           ///< a fact differs that changes every vector
};

/// Adds to the causes those that only the vectors can tell.
void find_causes(const LoadedModel& model, const Expectation& expectation, Findings& findings);

/// "a; b; c and 12 more"
std::string list_some(const std::vector<std::string>& names);

}  // namespace jina::cli
