#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace jina {

/// Pearson's correlation of two lists of the same length; NaN (as scipy) when one of them does not vary.
/// Errors: kInvalidInput for lists of different lengths or of fewer than two values.
double pearson(std::span<const double> a, std::span<const double> b);

/// Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of theirs. As pearson.
double spearman(std::span<const double> a, std::span<const double> b);

/// Rank of each value among all, from 1 for the smallest; equal values share the mean of theirs.
std::vector<double> average_ranks(std::span<const double> values);

/// What judges say of a query's documents: id → relevance; 1 and more is relevant.
using Judgements = std::map<std::string, int>;

struct ScoredDocument {
  std::string id;
  double score = 0;
};

/// One query's results with their relevance: the ground of the measures below, which follow trec_eval 9 (and with it
/// pytrec_eval and MTEB).
struct RankedResults {
  std::vector<int> relevance;  ///< of the result at rank 1, 2, …; 0 for documents without a judgement
  std::vector<int> ideal;      ///< all relevances above 0, largest first
};

/// Ranks by score, largest first, and among equal scores by id, last in byte order first (trec_eval's rule).
RankedResults rank_results(std::vector<ScoredDocument> documents, const Judgements& judgements);

/// Share of the relevant documents among the first `depth`. 0 when nothing is relevant; so are the others.
double recall_at(const RankedResults& results, int64_t depth);
/// Discounted gain of the first `depth`, over that of the best order of all judged documents: gain is the relevance,
/// discount log2(rank + 1).
double ndcg_at(const RankedResults& results, int64_t depth);
/// Mean over the relevant documents of the precision at their rank; those not found count 0.
double average_precision(const RankedResults& results);
/// 1 / rank of the first relevant document, 0 beyond `depth`.
double reciprocal_rank_at(const RankedResults& results, int64_t depth);

}  // namespace jina
