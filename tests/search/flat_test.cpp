#include "search/flat.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace jina {
namespace {

TEST(Flat, DotOfAnyLength) {
  for (const size_t size : {1u, 15u, 16u, 17u, 100u}) {
    std::vector<float> a(size), b(size);
    float expected = 0;
    for (size_t i = 0; i < size; ++i) {
      a[i] = static_cast<float>(i % 7) - 3;
      b[i] = static_cast<float>(i % 5) - 2;
      expected += a[i] * b[i];  // small whole numbers: exact
    }
    EXPECT_EQ(dot(a, b), expected) << size;
  }
  EXPECT_THROW(dot(std::vector<float>(2), std::vector<float>(3)), Error);
}

TEST(Flat, BestRowsAreSortedCutAndStable) {
  const std::vector<float> scores = {0.5F, 0.9F, 0.5F, -0.1F, 0.7F};
  const auto hits = best_rows(scores, 4, 0.0F);
  ASSERT_EQ(hits.size(), 4u);
  EXPECT_EQ(hits[0].row, 1);
  EXPECT_EQ(hits[1].row, 4);
  EXPECT_EQ(hits[2].row, 0);  // equal scores: row order
  EXPECT_EQ(hits[3].row, 2);
  EXPECT_EQ(best_rows(scores, 1, 0.0F).size(), 1u);
  EXPECT_TRUE(best_rows(scores, 10, 0.95F).empty());
}

TEST(Flat, ScoresEveryRow) {
  const std::vector<float> query = {1, 0};
  const std::vector<float> rows = {0.25F, 1, -2, 3};
  EXPECT_EQ(score_rows(query, rows), (std::vector<float>{0.25F, -2}));
}

}  // namespace
}  // namespace jina
