#include "support/jina_command.h"

#include "support/golden.h"

namespace jina {
namespace {

using test::ChildResult;
using testing::HasSubstr;

class TokenizeCommand : public test::JinaCommand {};

TEST_F(TokenizeCommand, OneLineOfJsonPerText) {
  const test::Golden golden("v2-small-8h");
  const Json first = golden.expected().at("texts").as_array()[0];
  const std::string text(first.at("text").as_string());
  const ChildResult result = run({"tokenize", text, "[a,b]", "-m", model("v2-small-8h")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const auto rows = test::parse_lines(result.output);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]->root().at("ids").dump(), first.at("ids").dump());
  EXPECT_EQ(rows[0]->root().at("offsets").dump(), first.at("offsets").dump());
  EXPECT_EQ(test::int_list(rows[0]->root().at("special")).front(), 1);

  const auto bare = test::parse_lines(run({"tokenize", text, "--no-special", "-m", model("v2-small-8h")}).output);
  EXPECT_EQ(bare.at(0)->root().at("ids").as_array().size() + 2, first.at("ids").as_array().size());
}

TEST_F(TokenizeCommand, ReadsRowsAsEmbedDoes) {
  files_.write("t.csv", "body\n\"one\ntwo\"\n");
  const ChildResult csv = run(
      {"tokenize", "-i", files_.path("t.csv"), "--text-field", "body", "-m", model("v2-small-8h") + "/tokenizer.json"});
  EXPECT_EQ(test::parse_lines(csv.output).size(), 1u) << csv.errors;
  const ChildResult piped =
      shell("printf '{\"text\": \"caf\\xe9\"}\\n' | jina tokenize -i - --jsonl -m " + model("v2-small-8h"));
  EXPECT_EQ(test::parse_lines(piped.output).size(), 1u) << piped.errors;
  EXPECT_THAT(piped.errors, HasSubstr("standard input:1: broken UTF-8 replaced"));
}

TEST_F(TokenizeCommand, WrongUse) {
  EXPECT_EQ(run({"tokenize"}).exit_code, 2);
  EXPECT_EQ(run({"tokenize", "x", "-m", "no/model"}).exit_code, 2);
  EXPECT_EQ(run({"tokenize", "x", "-m", files_.path()}).exit_code, 2);
  files_.write("t.jsonl", "{}\n");
  const ChildResult row = run({"tokenize", "-i", files_.path("t.jsonl"), "-m", model("v2-small-8h")});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.errors, HasSubstr("t.jsonl:1: field 'text' is missing"));
}

}  // namespace
}  // namespace jina
