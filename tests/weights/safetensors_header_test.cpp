#include "weights/safetensors_header.h"

#include <fmt/format.h>

#include "support/expect_error.h"

namespace jina {
namespace {

using test::expect_error;

std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string file_of(std::string_view header, size_t data_bytes) {
  return length_bytes(header.size()) + std::string(header) + std::string(data_bytes, 'd');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors_header(std::as_bytes(std::span(file)), "m.safetensors");
}

void expect_rejected(std::string_view header, size_t data_bytes, std::string_view part) {
  expect_error(ErrorKind::kModelFile, part, [&] { parse(file_of(header, data_bytes)); });
}

TEST(SafetensorsHeader, ReadsShapesOffsetsAndMetadata) {
  const std::string text =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
      R"("a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"none":{"dtype":"I64","shape":[0,7],"data_offsets":[28,28]},)"
      R"("one":{"dtype":"U8","shape":[],"data_offsets":[28,29]}}   )";
  const SafetensorsHeader header = parse(file_of(text, 29));
  EXPECT_EQ(header.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(header.tensors.size(), 4u);
  const StoredTensor& b = header.tensors.at("b");
  EXPECT_EQ(b.dtype, "F32");
  EXPECT_EQ(b.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(b.begin, 8 + text.size() + 4);
  EXPECT_EQ(b.end, 8 + text.size() + 28);
  EXPECT_TRUE(header.tensors.at("one").shape.empty());
  EXPECT_EQ(header.tensors.at("none").begin, header.tensors.at("none").end);
}

TEST(SafetensorsHeader, AnEmptyFileOfTensorsIsFine) { EXPECT_TRUE(parse(file_of("{}", 0)).tensors.empty()); }

TEST(SafetensorsHeader, RefusesBrokenLengths) {
  expect_error(ErrorKind::kModelFile, "found 7 bytes", [] { parse("1234567"); });
  expect_error(ErrorKind::kModelFile, "found 0 bytes", [] { parse(""); });
  expect_error(ErrorKind::kModelFile, "header length 9", [] { parse(length_bytes(9) + "{}      "); });
  expect_error(ErrorKind::kModelFile, "at most 100000000", [] { parse(length_bytes(100'000'001) + "{}"); });
  expect_error(ErrorKind::kModelFile, "at most 100000000", [] { parse(length_bytes(~uint64_t{0}) + "{}"); });
  expect_error(ErrorKind::kModelFile, "begin with '{'", [] { parse(length_bytes(0)); });
}

TEST(SafetensorsHeader, RefusesWhatIsNoObject) {
  expect_rejected("[]", 0, "begin with '{'");
  expect_rejected("{", 0, "not valid JSON");
  expect_rejected("{}}", 0, "not valid JSON");
  expect_rejected("{\"a\xFF\":1}", 0, "not valid JSON");
  expect_rejected(R"({"a":3})", 0, "tensor 'a': expected an object");
  expect_rejected(R"({"__metadata__":[1]})", 0, "'__metadata__': expected an object");
  expect_rejected(R"({"__metadata__":{"a":1}})", 0, "'a': expected a string");
}

TEST(SafetensorsHeader, RefusesFieldsOfWrongType) {
  expect_rejected(R"({"a":{"shape":[],"data_offsets":[0,1]}})", 1, "'dtype' must be a string");
  expect_rejected(R"({"a":{"dtype":5,"shape":[],"data_offsets":[0,1]}})", 1, "'dtype' must be a string");
  expect_rejected(R"({"a":{"dtype":"F31","shape":[],"data_offsets":[0,1]}})", 1, "unknown dtype 'F31'");
  expect_rejected(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, "'shape' must be an array");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1, "whole numbers");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1, "whole numbers");
  expect_rejected(R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1, "whole numbers");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1, "whole numbers");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, "must be two numbers, found 1");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})", 1, "whole numbers");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1]}})", 1, "'data_offsets' must be an array");
}

TEST(SafetensorsHeader, RefusesSizesThatDoNotAgree) {
  expect_rejected(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "needs 8 bytes, data_offsets give 4");
  expect_rejected(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "outside the 3 bytes");
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}})", 4, "outside the 4 bytes");
  expect_rejected(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "needs 2 bytes");
  // 2^32 * 2^32 * 4 is 0 in 64 bits.
  expect_rejected(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "overflows");
}

TEST(SafetensorsHeader, RefusesOverlapsHolesAndRests) {
  const auto two = [](int a_begin, int a_end, int b_begin, int b_end) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)"
                       R"("b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                       a_end - a_begin, a_begin, a_end, b_end - b_begin, b_begin, b_end);
  };
  EXPECT_EQ(parse(file_of(two(4, 8, 0, 4), 8)).tensors.size(), 2u);
  expect_rejected(two(0, 4, 3, 8), 8, "tensor 'b': data_offsets [3, 8) overlap those of 'a'");
  expect_rejected(two(0, 4, 0, 4), 4, "overlap");
  expect_rejected(two(0, 4, 5, 8), 8, "leave bytes from 4 unused");
  expect_rejected(two(1, 4, 4, 8), 8, "leave bytes from 0 unused");
  expect_rejected(two(0, 4, 4, 8), 9, "end at byte 8 of the data, but 9 bytes follow");
}

TEST(SafetensorsHeader, RefusesANameGivenTwice) {
  expect_rejected(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],)"
                  R"("data_offsets":[1,2]}})",
                  2, "tensor 'a' is in the header twice");
}

TEST(SafetensorsHeader, NamesOfTheFormatAreThoseOfTheTypes) {
  for (const DType dtype :
       {DType::kF32, DType::kF16, DType::kBF16, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kBool}) {
    EXPECT_EQ(dtype_of_safetensors(safetensors_name(dtype)), dtype);
  }
  EXPECT_EQ(dtype_of_safetensors("F64"), std::nullopt);
  EXPECT_EQ(dtype_of_safetensors("nonsense"), std::nullopt);
}

TEST(QuotedName, IsFitForATerminal) {
  EXPECT_EQ(quoted_name("a.b"), "'a.b'");
  EXPECT_EQ(quoted_name("a\x1B[31m\n"), "'a?[31m?'");
  EXPECT_EQ(quoted_name("\xFF"), "'\uFFFD'");
  EXPECT_EQ(quoted_name(std::string(300, 'x')), "'" + std::string(200, 'x') + "…'");
}

}  // namespace
}  // namespace jina
