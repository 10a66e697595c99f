#include "base/json_object.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"

namespace jina {
namespace {

JsonDocument parse(std::string_view text) { return JsonDocument::parse(text, "object", ErrorKind::kInvalidInput); }

TEST(JsonObject, KeepsOrderAndWhatIsNotChanged) {
  const JsonDocument document = parse(R"({"b": 1e-12, "a": {"x": [1, null, "é\n"]}, "c": "old", "b": 2.5})");
  JsonObject object(document.root());
  object.set("c", "say \"new\"").set("d", 20000.0).set("e", 7).set("f", true);
  object.set("g", std::vector<int64_t>{32, 64}).set("h", std::vector<std::string>{"x", "y\\"});
  object.set("i", JsonObject().set("k", 0.1));
  EXPECT_EQ(object.compact(),
            R"({"b": 2.5, "a": {"x":[1,null,"é\n"]}, "c": "say \"new\"", "d": 20000.0, "e": 7, "f": true, )"
            R"("g": [32, 64], "h": ["x", "y\\"], "i": {"k": 0.1}})");
  EXPECT_TRUE(object.has("a"));
  object.erase("a");
  EXPECT_FALSE(object.has("a"));
}

TEST(JsonObject, FilesHaveOneMemberALine) {
  EXPECT_EQ(JsonObject().text(), "{\n}\n");
  const std::string text = JsonObject().set("a", 1).set("b", 1e-12).text();
  EXPECT_EQ(text, "{\n  \"a\": 1,\n  \"b\": 1e-12\n}\n");
  EXPECT_EQ(parse(text).root().at("b").as_double(), 1e-12);
}

TEST(JsonObject, WantsAnObject) {
  const JsonDocument document = parse("[1]");
  test::expect_error(ErrorKind::kInvalidInput, "object", [&] { JsonObject object(document.root()); });
}

}  // namespace
}  // namespace jina
