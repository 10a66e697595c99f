#include "embedding/output.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/json.h"

namespace jina {
namespace {

std::vector<float> floats(const Json& list) {
  std::vector<float> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<float>(value.as_double()));
  return values;
}

std::string encoded(std::span<const float> vector, VectorEncoding encoding) {
  std::string json;
  append_vector(json, vector, encoding);
  return json;
}

TEST(Output, EncodingsEqualTheGolden) {
  const auto document = JsonDocument::parse_file(std::string(JINA_SOURCE_DIR) + "/tests/golden/api_values.json");
  for (const Json& row : document.root().at("vectors").as_array()) {
    const auto vector = floats(row.at("float"));
    EXPECT_EQ(encoded(vector, VectorEncoding::kBase64), row.at("base64").dump());
    EXPECT_EQ(encoded(vector, VectorEncoding::kUbinary), row.at("ubinary").dump());
    EXPECT_EQ(encoded(vector, VectorEncoding::kBinary), row.at("binary").dump());
    EXPECT_EQ("\"" + base64(pack_bits(vector)) + "\"", row.at("base64_ubinary_bytes").dump());
  }
}

TEST(Output, DecimalsReadBackAsTheSameFloat) {
  const std::vector<float> vector = {0.1F, -1.0F / 3, 1e-38F, 3.4e38F, 16777216.0F, -0.0F};
  const std::string json = encoded(vector, VectorEncoding::kFloat);
  const char* position = json.c_str() + 1;
  for (const float value : vector) {
    char* end = nullptr;
    EXPECT_EQ(std::strtof(position, &end), value);
    position = end + 1;
  }
}

TEST(Output, Int8IsTheRoundedUnitVectorTimes127) {
  EXPECT_EQ(quantize_int8(std::vector<float>{3, -4}), (std::vector<int8_t>{76, -102}));
  EXPECT_EQ(quantize_int8(std::vector<float>{0, 0}), (std::vector<int8_t>{0, 0}));
  EXPECT_EQ(encoded(std::vector<float>{-2}, VectorEncoding::kInt8), "[-127]");
}

TEST(Output, UnknownEncodingListsTheKnown) {
  EXPECT_EQ(parse_vector_encoding("ubinary"), VectorEncoding::kUbinary);
  try {
    parse_vector_encoding("f16");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("float, base64, binary, ubinary, int8"), std::string::npos);
  }
}

}  // namespace
}  // namespace jina
