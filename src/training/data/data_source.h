#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "training/data/evaluation_texts.h"
#include "training/data/failure_corpus.h"
#include "training/data/rows.h"
#include "training/recipe.h"

namespace jina {

/// The rows of a recipe's data: read from files or made of other data (failure_cases.h), then filtered. It keeps the
/// evaluation texts of the filter and what was mined for failure cases, so it is best let go once all rows are there.
///
///     DataSource source(recipe, threads);
///     RowNotes notes;
///     const DataRows rows = source.rows(find_data(recipe, "questions"), notes);
class DataSource {
 public:
  /// `recipe` must live longer.
  DataSource(const Recipe& recipe, int threads) : recipe_(recipe), pool_(threads) {}

  /// The rows of a data set of the recipe, or of one like them; adds to `notes` what filters removed. Rows are made of
  /// what the filter leaves of their data. Errors: as read_data_rows and the make functions of failure_cases.h;
  /// kInvalidInput when the filter leaves nothing.
  DataRows rows(const DataRecipe& data, RowNotes& notes);

  ThreadPool& pool() { return pool_; }

 private:
  DataRows made_rows(const DataRecipe& data, RowNotes& notes);
  const FailureCorpus& corpus_of(const std::vector<std::string>& names);

  const Recipe& recipe_;
  ThreadPool pool_;
  std::optional<EvaluationTexts> evaluation_texts_;
  std::map<std::vector<std::string>, FailureCorpus> corpora_;  // by the names of their data
};

}  // namespace jina
