#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "training/data/failure_corpus.h"
#include "training/data/rows.h"

namespace jina {

// Training rows for the failures F1 to F4 that section 5 of the jina-embeddings-v3 paper (arXiv 2409.10173) names. The
// paper had a language model write F1 to F3; here templates are filled with words of the recipe's own corpus. Each row
// is (query, positive, seven negatives), all nine texts different, and a function of the seed and its number alone.

/// Which templates are used: of every four, three are for training and one is held out; sentences of the corpus are
/// parted in the same way, by a hash of what stands around the name. So nothing in a held-out row comes from a template
/// or a sentence that training saw, also when the two were made of different corpora.
enum class CaseSplit : uint8_t { kTraining, kHeldOut };

struct FailureCase {
  int32_t frame = 0;  ///< number of the template within its kind; for F4 0
  std::string query;
  std::string positive;
  std::vector<std::string> negatives;  // (7)
};

constexpr int64_t kFailureNegatives = 7;

struct CaseRequest {
  int64_t count = 0;
  uint64_t seed = 0;
  CaseSplit split = CaseSplit::kTraining;
};

/// F1, misleading likeness of syntax: the query is a statement about two things; the positive says the same in another
/// construction; negatives have the query's construction with other things, or with the two in each other's place.
/// Error kInvalidInput when the corpus has fewer than 16 things.
std::vector<FailureCase> make_lookalike_cases(const FailureCorpus& corpus, const CaseRequest& request);

/// F2, names misread: the query asks about a name; the positive is a sentence of the corpus with it; negatives are the
/// same sentence with other names. Error kInvalidInput when the corpus has fewer than 16 names or no sentence for the
/// split.
std::vector<FailureCase> make_name_cases(const FailureCorpus& corpus, const CaseRequest& request);

/// F3, yes-or-no questions, some with a negation: the positive answers the question, with yes or with no; negatives
/// name the same things without an answer (five) or answer it about another thing (two). The opposite answer is never a
/// negative, since it answers as well. Error kInvalidInput when the corpus has fewer than 16 things.
std::vector<FailureCase> make_polar_cases(const FailureCorpus& corpus, const CaseRequest& request);

/// F4, low quality preferred: `rated` has a query, an answer (positive) and its rating (score, in 0 to 1) a row. For
/// each query, in order of first appearance: the best-rated answer is the positive; answers rated lower by 0.3 or more
/// are negatives, the best of them first; answers to other queries, drawn by the seed, fill up to seven. Queries
/// without a lower answer are left out. Errors kInvalidInput: scores absent, too few answers to other queries.
std::vector<FailureCase> make_rated_cases(const DataRows& rated, uint64_t seed);

/// The cases as a data set for training.
DataRows to_data_rows(const std::vector<FailureCase>& cases, const std::string& name);

}  // namespace jina
