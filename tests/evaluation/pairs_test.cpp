#include "evaluation/pairs.h"

#include <cmath>

#include "support/expect_error.h"

namespace jina {
namespace {

/// Query r points to `towards[r]` of four axes; positive r to axis r.
EmbeddedPairs pairs(const std::vector<size_t>& towards) {
  EmbeddedPairs made;
  for (size_t row = 0; row < towards.size(); ++row) {
    for (size_t axis = 0; axis < 4; ++axis) {
      made.queries.push_back(axis == towards[row] ? 1.0F : 0.1F * static_cast<float>(axis));
      made.positives.push_back(axis == row ? 2.0F : 0.0F);
    }
    made.documents.push_back("document " + std::to_string(row));
  }
  return made;
}

TEST(MeasurePairs, Search) {
  EXPECT_EQ(measure_pairs("recall@1", pairs({0, 1, 2, 3}), 0), 1);
  EXPECT_EQ(measure_pairs("recall@1", pairs({0, 1, 3, 3}), 0), 0.75);
  // Query 2 looks to axis 3 and finds its own axis (0.2) second.
  EXPECT_NEAR(measure_pairs("ndcg@10", pairs({0, 1, 3, 3}), 0), (3 + 1 / std::log2(3)) / 4, 1e-12);
  EXPECT_NEAR(measure_pairs("map", pairs({0, 1, 3, 3}), 0), (3 + 0.5) / 4, 1e-12);
  EXPECT_EQ(measure_pairs("recall@2", pairs({0, 1, 3, 3}), 0), 1);
}

TEST(MeasurePairs, EqualTextsAreOneDocument) {
  EmbeddedPairs two = pairs({0, 0});
  EXPECT_EQ(measure_pairs("recall@1", two, 0), 0.5);
  two.documents[1] = two.documents[0];
  EXPECT_EQ(measure_pairs("recall@1", two, 0), 1);
}

TEST(MeasurePairs, NegativesAreSearchedInPlaceOfOtherPositives) {
  EmbeddedPairs made = pairs({0, 3, 2, 1});  // queries 1 and 3 look to each other's positive
  EXPECT_EQ(measure_pairs("recall@1", made, 0), 0.5);
  made.negative_offsets = {0, 1, 2, 3, 5};
  made.negative_documents = {"x", "y", "z", "w", "w"};
  made.negatives.assign(20, 0);  // at no angle to anything
  EXPECT_EQ(measure_pairs("recall@1", made, 0), 1);
  made.negatives[3] = 1;  // of query 0, for which axis 3 is no more than its second
  EXPECT_EQ(measure_pairs("recall@1", made, 0), 1);
  made.negatives[7] = 1;  // of query 1, which looks there
  EXPECT_EQ(measure_pairs("recall@1", made, 0), 0.75);
  EXPECT_NEAR(measure_pairs("map", made, 0), (3 + 0.5) / 4, 1e-12);
  made.negatives[13] = 1, made.negatives[17] = 1;  // of query 3, twice the same text
  EXPECT_NEAR(measure_pairs("map", made, 0), (2 + 0.5 + 0.5) / 4, 1e-12);
  made.negative_offsets = {0, 1, 1, 2, 4};
  made.negative_documents.resize(4);
  made.negatives.resize(16);
  EXPECT_EQ(measure_pairs("recall@1", made, 0), 0.5) << "query 1 has none and searches all positives";
}

TEST(MeasurePairs, Correlation) {
  EmbeddedPairs made;
  made.queries = {1, 0, 1, 0, 1, 0};
  made.positives = {1, 0, 1, 1, 0, 3};  // cosines 1, 0.707, 0
  made.documents = {"a", "b", "c"};
  made.scores = {5, 4, 1};
  EXPECT_NEAR(measure_pairs("spearman", made, 0), 1, 1e-12);
  const double expected = measure_pairs("pearson", made, 0);
  EXPECT_GT(expected, 0.98);
  EXPECT_LT(expected, 0.9999);
  made.scores = {1, 4, 5};
  EXPECT_NEAR(measure_pairs("spearman", made, 0), -1, 1e-12);
}

TEST(MeasurePairs, CutVectorsAreNormalisedAgain) {
  EmbeddedPairs made;
  made.queries = {1, 0, 0, 1, 0, 0};
  made.positives = {0.6F, 0.0F, 0.8F, 0.7F, 0.7F, 0.0F};  // at two dimensions the first is the nearer one
  made.documents = {"a", "b"};
  made.scores = {2, 1};
  EXPECT_NEAR(measure_pairs("spearman", made, 0), -1, 1e-12);
  EXPECT_NEAR(measure_pairs("spearman", made, 2), 1, 1e-12);
}

TEST(MeasurePairs, Refused) {
  for (const char* measure : {"recall", "recall@", "recall@0", "recall@x", "precision@1", ""}) {
    test::expect_error(ErrorKind::kInvalidInput, "unknown measure", [&] { measure_pairs(measure, pairs({0, 1}), 0); });
  }
  test::expect_error(ErrorKind::kInvalidInput, "found none", [] { measure_pairs("map", {}, 0); });
  test::expect_error(ErrorKind::kInvalidInput, "expected a score for each of 2 pairs, found 0", [] {
    measure_pairs("spearman", pairs({0, 1}), 0);
  });
  test::expect_error(ErrorKind::kInvalidInput, "expected 2 rows of at least 5 numbers", [] {
    measure_pairs("map", pairs({0, 1}), 5);
  });
}

}  // namespace
}  // namespace jina
