#include "support/jina_command.h"

namespace jina {
namespace {

using testing::HasSubstr;

class ShowCommand : public test::JinaCommand {};

TEST_F(ShowCommand, TellsWhatAModelIs) {
  const test::ChildResult text = run({"show", model("v3-tiny")});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  EXPECT_THAT(text.output, HasSubstr("dimensions   64\n"));
  EXPECT_THAT(text.output, HasSubstr("task         retrieval.query, an adapter, prompt \"Represent the query"));
  const auto json = test::parse_lines(run({"show", "--json", "-m", model("v3-tiny")}).output);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]->root().at("tasks").as_array().size(), 5u);
  EXPECT_EQ(json[0]->root().at("fingerprint").as_string().size(), 16u);
}

TEST_F(ShowCommand, UnknownModel) {
  EXPECT_EQ(run({"show", "no/model"}).exit_code, 2);
  EXPECT_EQ(run({"show", files_.path()}).exit_code, 2);
}

}  // namespace
}  // namespace jina
