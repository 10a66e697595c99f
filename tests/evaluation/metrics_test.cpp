#include "evaluation/metrics.h"

#include <cmath>

#include "base/json.h"
#include "support/expect_error.h"

namespace jina {
namespace {

using testing::ElementsAre;

constexpr double kTolerance = 1e-9;

/// tests/golden/metrics.json: scipy, and trec_eval through pytrec_eval.
const JsonDocument& golden() {
  static const JsonDocument document = JsonDocument::parse_file(JINA_SOURCE_DIR "/tests/golden/metrics.json");
  return document;
}

std::vector<double> doubles(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list.as_array()) values.push_back(value.as_double());
  return values;
}

TEST(Metrics, CorrelationsEqualScipy) {
  const std::vector<Json> cases = golden().root().at("correlation").as_array();
  ASSERT_EQ(cases.size(), 5u);
  for (const Json& test : cases) {
    const std::vector<double> x = doubles(test.at("x"));
    const std::vector<double> y = doubles(test.at("y"));
    EXPECT_NEAR(spearman(x, y), test.at("spearman").as_double(), kTolerance);
    EXPECT_NEAR(pearson(x, y), test.at("pearson").as_double(), kTolerance);
  }
}

TEST(Metrics, CorrelationsOfWhatDoesNotVary) {
  EXPECT_TRUE(std::isnan(pearson(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3})));
  EXPECT_TRUE(std::isnan(spearman(std::vector<double>{1, 2, 3}, std::vector<double>{2, 2, 2})));
  EXPECT_NEAR(spearman(std::vector<double>{1, 20, 300}, std::vector<double>{-3, -2, -1}), 1, kTolerance);
  test::expect_error(ErrorKind::kInvalidInput, "found 2 and 3", [] {
    pearson(std::vector<double>{1, 2}, std::vector<double>{1, 2, 3});
  });
  test::expect_error(ErrorKind::kInvalidInput, "found 1 and 1",
                     [] { spearman(std::vector<double>{1}, std::vector<double>{1}); });
}

TEST(Metrics, RanksAreShared) {
  EXPECT_THAT(average_ranks(std::vector<double>{3, 1, 3, 2, 3}), ElementsAre(4, 1, 4, 2, 4));
  EXPECT_THAT(average_ranks(std::vector<double>{}), ElementsAre());
}

/// The results of one query of a golden case.
RankedResults ranked(const Json& test, std::string_view query) {
  Judgements judgements;
  for (const auto& [id, relevance] : test.at("qrels").at(query).as_object()) {
    judgements[std::string(id)] = static_cast<int>(int64_t{relevance.get_int64().value()});
  }
  std::vector<ScoredDocument> documents;
  const Json run = test.at("run").at(query);
  for (const auto& [id, score] : run.as_object()) documents.push_back({std::string(id), run.at(id).as_double()});
  return rank_results(std::move(documents), judgements);
}

/// All measures that the reference has for the query.
void expect_equal(const RankedResults& results, const Json& expected) {
  EXPECT_NEAR(average_precision(results), expected.at("map").as_double(), kTolerance);
  for (const int depth : {1, 3, 5, 10, 20, 100}) {
    EXPECT_NEAR(recall_at(results, depth), expected.at("recall_" + std::to_string(depth)).as_double(), kTolerance);
    EXPECT_NEAR(ndcg_at(results, depth), expected.at("ndcg_cut_" + std::to_string(depth)).as_double(), kTolerance);
  }
  EXPECT_NEAR(ndcg_at(results, 1'000'000), expected.at("ndcg").as_double(), kTolerance);
  EXPECT_NEAR(reciprocal_rank_at(results, 1'000'000), expected.at("recip_rank").as_double(), kTolerance);
}

TEST(Metrics, RetrievalEqualsTrecEval) {
  const std::vector<Json> cases = golden().root().at("retrieval").as_array();
  ASSERT_EQ(cases.size(), 6u);
  size_t queries = 0;
  for (const Json& test : cases) {
    double sum = 0;
    double count = 0;
    for (const auto& [query, unused] : test.at("per_query").as_object()) {
      SCOPED_TRACE(query);
      const RankedResults results = ranked(test, query);
      expect_equal(results, test.at("per_query").at(query));
      EXPECT_NEAR(reciprocal_rank_at(results, 10), test.at("mrr_at_10").at(query).as_double(), kTolerance);
      sum += average_precision(results);
      ++count;
    }
    EXPECT_NEAR(sum / count, test.at("mean").at("map").as_double(), kTolerance) << "mean average precision";
    queries += static_cast<size_t>(count);
  }
  EXPECT_GT(queries, 50u);
}

TEST(Metrics, EqualScoresGoByIdFromBehind) {
  const Judgements judgements = {{"b", 1}};
  EXPECT_THAT(rank_results({{"a", 1}, {"c", 1}, {"b", 1}}, judgements).relevance, ElementsAre(0, 1, 0));
  EXPECT_THAT(rank_results({{"a", 1}, {"c", 0.5}, {"b", 1}}, judgements).relevance, ElementsAre(1, 0, 0));
}

TEST(Metrics, NothingRelevantOrNothingFound) {
  const RankedResults none = rank_results({{"a", 1}}, {{"a", 0}});
  EXPECT_EQ(recall_at(none, 1), 0);
  EXPECT_EQ(ndcg_at(none, 1), 0);
  EXPECT_EQ(average_precision(none), 0);
  EXPECT_EQ(reciprocal_rank_at(none, 1), 0);
  const RankedResults missed = rank_results({}, {{"a", 1}});
  EXPECT_EQ(recall_at(missed, 10), 0);
  EXPECT_EQ(ndcg_at(missed, 10), 0);
  EXPECT_EQ(average_precision(missed), 0);
}

}  // namespace
}  // namespace jina
