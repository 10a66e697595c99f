#include "support/jina_command.h"

namespace jina {
namespace {

using test::ChildResult;
using testing::HasSubstr;
using testing::StartsWith;

class SearchCommand : public test::JinaCommand {};

TEST_F(SearchCommand, NearestLinesFirst) {
  files_.write("notes.txt", "A woman is playing piano.\n\nHello World\n{\"a\": 1}\n");
  const std::vector<std::string> common = {
      "search", "Hello World", "-m", model("bert-tiny-mean"), "-i", files_.path("notes.txt"), "--precision", "f32"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return run(more);
  };
  const ChildResult all = with({});
  EXPECT_EQ(all.exit_code, 0) << all.errors;
  EXPECT_THAT(all.output, StartsWith(files_.path("notes.txt") + ":3  1.0000  Hello World\n"));
  EXPECT_EQ(std::count(all.output.begin(), all.output.end(), '\n'), 3);
  EXPECT_EQ(with({"-k", "1"}).output, files_.path("notes.txt") + ":3  1.0000  Hello World\n");
  EXPECT_EQ(with({"--threshold", "0.9999"}).output, with({"-k", "1"}).output);

  const auto json = test::parse_lines(with({"--json", "-k", "1"}).output);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]->root().at("line").as_int(), 3);
  EXPECT_EQ(json[0]->root().at("text").as_string(), "Hello World");
  EXPECT_NEAR(json[0]->root().at("score").as_double(), 1, 1e-6);

  const ChildResult paragraphs = with({"--paragraphs"});
  EXPECT_THAT(paragraphs.output, HasSubstr(":3  "));
  EXPECT_THAT(paragraphs.output, HasSubstr("Hello World {\"a\": 1}\n")) << "one hit, one line";
}

TEST_F(SearchCommand, WrongUse) {
  const ChildResult absent = run({"search", "x", "-i", files_.path("absent"), "-m", model("bert-tiny-mean")});
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_THAT(absent.errors, HasSubstr("absent"));
  EXPECT_EQ(run({"search", "x", "-k", "0"}).exit_code, 2);
  EXPECT_EQ(run({"search"}).exit_code, 2);
}

}  // namespace
}  // namespace jina
