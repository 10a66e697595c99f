#include "training/written_recipe.h"

namespace jina {
namespace {

using test::kBeginning;
using test::WrittenRecipe;

const std::vector<LossForm> kKnown = {{"info_nce", "query positive | negatives", "margin=0.5, both_directions"},
                                      {"cosent", "query positive score", ""}};

std::string with_loss(const std::string& loss, const std::string& columns = "") {
  return kBeginning + (columns.empty() ? "" : "columns = { " + columns + " }\n") +
         "[[stage]]\nkind = \"pairs\"\nsteps = 1\nbatch = 1\ndata = \"a\"\n[[stage.loss]]\n" + loss;
}

void expect_refused(const std::string& text, const std::string& part) {
  const Recipe recipe = WrittenRecipe(text).read();
  test::expect_error(ErrorKind::kInvalidInput, part, [&] { check_losses(recipe, kKnown); });
}

TEST(RecipeLosses, KnownOnes) {
  for (const char* loss : {"name = \"info_nce\"\nmargin = 1\nboth_directions = true\n", "name = \"cosent\"\n"}) {
    EXPECT_NO_THROW(check_losses(WrittenRecipe(with_loss(loss)).read(), kKnown)) << loss;
  }
}

TEST(RecipeLosses, UnknownNamesAndOptions) {
  expect_refused(with_loss("name = \"info_nec\"\n"),
                 "r.toml:12: unknown loss (known: info_nce, cosent): 'info_nec'; did you mean 'info_nce'?");
  expect_refused(with_loss("name = \"info_nce\"\nmargn = 1\n"),
                 "r.toml:12: the loss 'info_nce' has no option 'margn'; did you mean 'margin'?");
  expect_refused(with_loss("name = \"cosent\"\nmargin = 1\n"), "the loss 'cosent' has no option 'margin'");
  expect_refused(with_loss("name = \"cosent\"\nwieght = 1\n"), "did you mean 'weight'?");
}

TEST(RecipeLosses, Columns) {
  const std::string pairs = "query = \"q\", positive = \"p\"";
  EXPECT_NO_THROW(check_losses(WrittenRecipe(with_loss("name = \"info_nce\"\n", pairs)).read(), kKnown));
  expect_refused(with_loss("name = \"cosent\"\n", pairs),
                 "the loss 'cosent' needs 'score', which the columns of the data 'a' lack");
}

}  // namespace
}  // namespace jina
