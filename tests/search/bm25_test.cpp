#include "search/bm25.h"

#include <cmath>

#include "support/expect_error.h"

namespace jina {
namespace {

using Words = std::vector<std::string>;

TEST(Bm25, WordsAreUnicodeAndLowerCase) {
  EXPECT_EQ(words_of("Hello, WORLD! it's 3.14"), (Words{"hello", "world", "it", "s", "3", "14"}));
  EXPECT_EQ(words_of("ÉCOLE Straße ΣΊΣΥΦΟΣ"), (Words{"école", "straße", "σίσυφοσ"}));
  EXPECT_EQ(words_of("東京tower"), (Words{"東", "京", "tower"}));
  EXPECT_EQ(words_of(" \n\t…—"), Words{});
}

Bm25Index index_of(const Words& texts, const Bm25Options& options = {}) {
  Bm25Index index(options);
  for (const std::string& text : texts) index.add(text);
  return index;
}

TEST(Bm25, ScoresAreThoseOfTheFormula) {
  // Lengths 3, 2, 4: mean 3. "cat" stands in two of three documents, "dog" in one.
  const Bm25Index index = index_of({"cat sat cat", "dog ran", "a cat and bird"});
  const double cat_idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5));
  const double dog_idf = std::log(1 + (3 - 1 + 0.5) / (1 + 0.5));
  const auto hits = index.search("Cat dog", 10);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].row, 1);
  EXPECT_NEAR(hits[0].score, dog_idf * 1 / (1 + 0.9 * (0.6 + 0.4 * 2 / 3)), 1e-6);
  EXPECT_EQ(hits[1].row, 0);
  EXPECT_NEAR(hits[1].score, cat_idf * 2 / (2 + 0.9 * (0.6 + 0.4 * 3 / 3)), 1e-6);
  EXPECT_EQ(hits[2].row, 2);
  EXPECT_NEAR(hits[2].score, cat_idf * 1 / (1 + 0.9 * (0.6 + 0.4 * 4 / 3)), 1e-6);
  EXPECT_NEAR(index.search("dog dog", 1)[0].score, 2 * hits[0].score, 1e-6) << "each occurrence in the query counts";
  const auto flat = index_of({"cat sat cat", "dog ran", "a cat and bird"}, {.k1 = 1.2, .b = 0}).search("cat", 1);
  EXPECT_NEAR(flat[0].score, cat_idf * 2 / (2 + 1.2), 1e-6);
}

TEST(Bm25, TiesByRowAndOnlyWhatMatches) {
  const Bm25Index index = index_of({"x", "cat", "y", "cat", "cat", ""});
  const auto hits = index.search("cat", 2);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].row, 1);
  EXPECT_EQ(hits[1].row, 3);
  EXPECT_EQ(index.search("cat", 10).size(), 3u);
  EXPECT_TRUE(index.search("unknown", 10).empty());
  EXPECT_TRUE(index.search("", 10).empty());
  EXPECT_TRUE(Bm25Index().search("cat", 10).empty());
}

TEST(Bm25, WrongOptions) {
  test::expect_error(ErrorKind::kInvalidArgument, "b 1.5", [] { Bm25Index index({.b = 1.5}); });
  test::expect_error(ErrorKind::kInvalidArgument, "k1 -1", [] { Bm25Index index({.k1 = -1}); });
}

}  // namespace
}  // namespace jina
