#include "nn/pooling.h"

#include <gtest/gtest.h>

#include "support/golden.h"

namespace jina {
namespace {

std::vector<float> floats(const Json& list) {
  std::vector<float> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<float>(value.as_double()));
  return values;
}

TEST(Pooling, PrefixesEqualTheMatryoshkaGolden) {
  const auto document = JsonDocument::parse_file(std::string(JINA_SOURCE_DIR) + "/tests/golden/api_values.json");
  int compared = 0;
  for (const Json& row : document.root().at("matryoshka").as_array()) {
    const auto input = floats(row.at("input"));
    for (const auto& [size, expected] : row.at("l2_normalized").as_object()) {
      const auto dimensions = std::stoll(std::string(size));
      const auto width = static_cast<int64_t>(input.size());
      EXPECT_LE(test::max_difference(truncate_and_normalize(input, width, dimensions, true),
                                     floats(Json(document, expected))),
                1e-7);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
}

TEST(Pooling, CutsBeforeItNormalises) {
  const std::vector<float> vector = {3, 4, 12};
  EXPECT_EQ(truncate_and_normalize(vector, 3, 2, true), (std::vector<float>{0.6F, 0.8F}));
  EXPECT_EQ(truncate_and_normalize(vector, 3, 2, false), (std::vector<float>{3, 4}));
}

TEST(Pooling, AZeroVectorStaysZero) {
  EXPECT_EQ(truncate_and_normalize(std::vector<float>{0, 0}, 2, 2, true), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace jina
