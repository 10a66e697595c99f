#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "training/data/evaluation_texts.h"
#include "training/data/rows.h"
#include "training/recipe.h"

namespace jina {

/// Why a row is removed; a row counts for the first rule that removes it, in this order.
enum class FilterRule : uint8_t {
  kEvaluationEqual,
  kEvaluationShort,
  kEvaluationLong,
  kSubstring,
  kExactDuplicate,
  kNearDuplicate,
};
constexpr size_t kFilterRules = 6;

/// What a rule is called in reports, e.g. "exact duplicate of an earlier row".
std::string_view to_string(FilterRule rule);

struct RuleReport {
  int64_t removed = 0;
  std::vector<std::string> examples;  ///< the first three rows removed, shortened: "query → positive"
};

/// What was removed from one data set.
struct FilterReport {
  std::string data;
  int64_t rows = 0;  ///< before
  int64_t kept = 0;
  std::array<RuleReport, kFilterRules> rules;
};

struct FilterResult {
  std::vector<int64_t> kept;  ///< numbers of rows, ascending
  FilterReport report;
};

/// Whether the 80 % rule of the jina-embeddings-v3 paper removes a pair: at least `share` of the words of the shorter
/// text, which has at least `fewest_words`, occur in the longer one. The paper's one sentence leaves three things open;
/// here "shorter" is by number of words (the first text when equal), "occur" is as a substring of the longer text
/// ("cat" in "concatenate" too), and both texts are normalised (normalize_words: lower case, punctuation gone) first.
bool is_substring_pair(const std::string& first, const std::string& second, double share, int64_t fewest_words);

/// Applies the rules in the order of FilterRule:
/// - evaluation overlap (evaluation_texts.h): any text of the row, negatives too;
/// - substring: pairs without scores and labels only, since graded pairs are meant to be alike;
/// - exact duplicates: rows whose normalised query and positive equal those of an earlier row;
/// - near-duplicates (near_duplicates.h): not for rows with scores, and among equal labels only.
/// The result depends on the rows alone, not on the number of threads.
FilterResult filter_rows(const DataRows& rows, const FilterRecipe& recipe, const EvaluationTexts& evaluation,
                         ThreadPool& pool);

/// How many rows each rule removed, and its examples: "near-duplicate of an earlier row: query → positive".
RowNotes describe(const FilterReport& report);

}  // namespace jina
