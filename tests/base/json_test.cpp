#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace jina {
namespace {

JsonDocument parse(std::string_view text) { return JsonDocument::parse(text, "test.json", ErrorKind::kModelFile); }

/// The text of the Error that `action` throws; empty when it throws none.
template <typename Action>
std::string failure(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    return error.what();
  }
  return {};
}

TEST(Json, ReadsEachType) {
  const JsonDocument document = parse(R"({"s": "text", "i": -7, "d": 1e-12, "b": true, "n": null, "a": [1, 2, 3]})");
  const Json root = document.root();
  EXPECT_EQ(root.at("s").as_string(), "text");
  EXPECT_EQ(root.at("i").as_int(), -7);
  EXPECT_EQ(root.at("i").as_double(), -7.0);
  EXPECT_EQ(root.at("d").as_double(), 1e-12);
  EXPECT_TRUE(root.at("b").as_bool());
  EXPECT_TRUE(root.at("n").is_null());
  ASSERT_EQ(root.at("a").as_array().size(), 3u);
  EXPECT_EQ(root.at("a").as_array()[2].as_int(), 3);
}

TEST(Json, AnErrorNamesFileFieldAndBothTypes) {
  const JsonDocument document = parse(R"({"hidden_size": "wide", "list": [1, "x"]})");
  EXPECT_EQ(failure([&] { document.root().at("hidden_size").as_int(); }),
            "test.json: 'hidden_size': expected an integer, found a string");
  EXPECT_EQ(failure([&] { document.root().at("layers"); }), "test.json: field 'layers' is missing");
  EXPECT_EQ(failure([&] { document.root().at("list").as_array()[1].as_double(); }),
            "test.json: 'list': expected a number, found a string");
  EXPECT_EQ(failure([&] { document.root().as_array(); }), "test.json: value: expected an array, found an object");
  EXPECT_NE(failure([] { parse("{\"a\": "); }).find("test.json: not valid JSON"), std::string::npos);
}

TEST(Json, AbsentAndNullAreNothing) {
  const JsonDocument document = parse(R"({"null": null, "zero": 0, "off": false, "empty": ""})");
  const Json root = document.root();
  EXPECT_FALSE(root.find("none"));
  EXPECT_FALSE(root.find("null"));
  EXPECT_EQ(root.int_or("none", 5), 5);
  EXPECT_EQ(root.int_or("null", 5), 5);
  EXPECT_EQ(root.int_or("zero", 5), 0);
  EXPECT_FALSE(root.bool_or("off", true));
  EXPECT_EQ(root.string_or("empty", "other"), "");
  EXPECT_EQ(root.double_or("none", 0.5), 0.5);
  EXPECT_NE(failure([&] { root.int_or("empty", 5); }), "");
}

TEST(Json, ViewsOutliveTheMoveOfTheirDocument) {
  JsonDocument first = parse(R"({"key": "value"})");
  const JsonDocument second = std::move(first);
  EXPECT_EQ(second.root().at("key").as_string(), "value");
}

TEST(Json, StringsAreEscapedSoThatTheyReadBack) {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\u00E9\u4E2D\U0001F600";
  std::string literal;
  append_json_string(literal, all);
  EXPECT_EQ(parse(literal).root().as_string(), all);
  std::string short_one;
  append_json_string(short_one, "a\"b\\\n\x01");
  EXPECT_EQ(short_one, R"("a\"b\\\n\u0001")");
}

TEST(Json, FloatsReadBackExactly) {
  for (const float value :
       {0.0F, -0.0F, 1.0F, 0.1F, 1e-45F, 3.4028235e38F, -1.1754944e-38F, 16777216.0F, 0.33333334F}) {
    std::string text;
    append_json_float(text, value);
    EXPECT_EQ(static_cast<float>(parse("[" + text + "]").root().as_array()[0].as_double()), value) << text;
  }
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    std::string text;
    append_json_float(text, value);
    EXPECT_EQ(text, "null");
  }
}

TEST(Json, DumpIsCompactAndComplete) {
  EXPECT_EQ(parse("{ \"a\" : [ 1 , 2.5 , null ] , \"b\" : { } }").root().dump(), R"({"a":[1,2.5,null],"b":{}})");
}

}  // namespace
}  // namespace jina
