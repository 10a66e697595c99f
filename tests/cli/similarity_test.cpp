#include "support/jina_command.h"

namespace jina {
namespace {

using test::ChildResult;
using testing::HasSubstr;

class SimilarityCommand : public test::JinaCommand {};

TEST_F(SimilarityCommand, MatrixForPeopleAndPrograms) {
  const std::vector<std::string> common = {"similarity", "Hello World", "[a,b]", "Hello World", "--precision", "f32"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return run(more);
  };
  const ChildResult table = with({"-m", model("bert-tiny-mean")});
  EXPECT_EQ(table.exit_code, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr("[3]  "));
  EXPECT_THAT(table.output, HasSubstr("   [a,b]\n"));
  const auto json = test::parse_lines(with({"-m", model("bert-tiny-mean"), "--format", "json"}).output);
  ASSERT_EQ(json.size(), 1u);
  const auto matrix = json[0]->root().at("similarity").as_array();
  ASSERT_EQ(matrix.size(), 3u);
  EXPECT_NEAR(matrix[0].as_array()[2].as_double(), 1, 1e-6);
  EXPECT_EQ(matrix[0].as_array()[1].as_double(), matrix[1].as_array()[0].as_double());

  EXPECT_THAT(with({"-m", model("v3-tiny")}).errors, HasSubstr("raw base model"));
  EXPECT_EQ(with({"-m", model("v3-tiny"), "-t", "separation"}).errors, "");
}

TEST_F(SimilarityCommand, WrongUse) {
  EXPECT_EQ(run({"similarity", "one", "-m", model("bert-tiny-mean")}).exit_code, 2);
  const ChildResult task = run({"similarity", "a", "b", "-m", model("v3-tiny"), "-t", "poetry"});
  EXPECT_EQ(task.exit_code, 2);
  EXPECT_THAT(task.errors, HasSubstr("known tasks: retrieval.query"));
  const ChildResult full = shell("jina similarity a b -m " + model("bert-tiny-mean") + " > /dev/full");
  EXPECT_EQ(full.exit_code, 1);
}

}  // namespace
}  // namespace jina
