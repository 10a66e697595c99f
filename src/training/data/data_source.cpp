#include "training/data/data_source.h"

#include <algorithm>

#include "base/error.h"
#include "training/data/failure_cases.h"
#include "training/data/filter.h"

namespace jina {

namespace {

/// The texts that rows have left in use, each once.
void add_texts(const DataRows& rows, TextTable& texts) {
  for (const std::vector<int32_t>* column : {&rows.queries, &rows.positives, &rows.negatives}) {
    for (const int32_t text : *column) texts.add(rows.texts[text]);
  }
}

std::vector<FailureCase> make_cases(FailureKind kind, const FailureCorpus& corpus, const CaseRequest& request) {
  switch (kind) {
    case FailureKind::kLookalike: return make_lookalike_cases(corpus, request);
    case FailureKind::kNames: return make_name_cases(corpus, request);
    case FailureKind::kPolar: return make_polar_cases(corpus, request);
    case FailureKind::kRated: break;  // of rows, not of a corpus
  }
  fail(ErrorKind::kInternal, "failure cases", "rated ones are made of rows");
}

}  // namespace

DataRows DataSource::rows(const DataRecipe& data, RowNotes& notes) {
  DataRows rows = data.failures ? made_rows(data, notes) : read_data_rows(data);
  if (!data.is_filtered) return rows;
  if (!evaluation_texts_) evaluation_texts_ = read_evaluation_texts(recipe_.filter.decontaminate);
  const FilterResult result = filter_rows(rows, recipe_.filter, *evaluation_texts_, pool_);
  RowNotes told = describe(result.report);
  notes.removed.merge(told.removed);
  notes.lines.insert(notes.lines.end(), told.lines.begin(), told.lines.end());
  if (result.kept.empty()) {
    fail(ErrorKind::kInvalidInput, data.name, "[filter] removes all of its {} rows", rows.size());
  }
  return select_rows(std::move(rows), result.kept);
}

DataRows DataSource::made_rows(const DataRecipe& data, RowNotes& notes) {
  const FailureRecipe& failures = *data.failures;
  if (failures.kind == FailureKind::kRated) {
    RowNotes of_source;
    const DataRows rated = rows(find_data(recipe_, failures.from.front()), of_source);
    auto cases = make_rated_cases(rated, recipe_.seed);
    if (cases.empty()) {
      fail(ErrorKind::kInvalidInput, data.name, "no query of '{}' has an answer rated lower than its best by 0.3",
           rated.name);
    }
    if (data.most_rows > 0) cases.resize(std::min(cases.size(), static_cast<size_t>(data.most_rows)));
    notes.lines.push_back(fmt::format("made of {} rated answers", rated.size()));
    return to_data_rows(cases, data.name);
  }
  const FailureCorpus& corpus = corpus_of(failures.from);
  notes.lines.push_back(fmt::format("made of a corpus with {} things, {} names and {} sentences that have one",
                                    corpus.things.size(), corpus.names.size(), corpus.sentences.size()));
  const CaseRequest request{.count = data.most_rows,
                            .seed = recipe_.seed,
                            .split = failures.is_held_out ? CaseSplit::kHeldOut : CaseSplit::kTraining};
  return to_data_rows(make_cases(failures.kind, corpus, request), data.name);
}

const FailureCorpus& DataSource::corpus_of(const std::vector<std::string>& names) {
  const auto known = corpora_.find(names);
  if (known != corpora_.end()) return known->second;
  TextTable texts;
  for (const std::string& name : names) {
    RowNotes of_source;
    add_texts(rows(find_data(recipe_, name), of_source), texts);
  }
  std::vector<std::string_view> views;
  for (int32_t i = 0; i < texts.size(); ++i) views.push_back(texts[i]);
  return corpora_[names] = mine_failure_corpus(views);
}

}  // namespace jina
