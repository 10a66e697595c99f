#include <filesystem>

#include "training/losses/loss.h"
#include "training/written_recipe.h"

namespace jina {
namespace {

using test::kBeginning;
using test::WrittenRecipe;

const std::vector<LossForm> kKnown = {{"info_nce", "query positive | negatives", {"directions", "class_mask"}},
                                      {"cosent", "query positive score", {}},
                                      {"cosine", "query teacher_query | positive teacher_positive", {}},
                                      {"late", "query_tokens positive_tokens", {}}};

/// One stage; the loss begins on line 13.
std::string with_loss(const std::string& loss, const std::string& columns = "query = \"q\", positive = \"p\"") {
  return kBeginning + "columns = { " + columns +
         " }\n[[stage]]\nkind = \"pairs\"\nsteps = 1\nbatch = 1\ndata = \"a\"\n[[stage.loss]]\n" + loss;
}

void expect_refused(const std::string& text, const std::string& part, const std::vector<std::string>& overrides = {}) {
  const Recipe recipe = WrittenRecipe(text).read(overrides);
  test::expect_error(ErrorKind::kInvalidInput, part, [&] { check_losses(recipe, kKnown); });
}

void expect_good(const std::string& text, const std::vector<std::string>& overrides = {}) {
  EXPECT_NO_THROW(check_losses(WrittenRecipe(text).read(overrides), kKnown)) << text;
}

TEST(RecipeLosses, KnownOnes) {
  expect_good(with_loss("name = \"info_nce\"\nclass_mask = true\ndirections = 1\n"));
  expect_good(with_loss("name = \"late\"\n"));
  expect_good(with_loss("name = \"mlm\"\n", "text = \"text\""));
}

TEST(RecipeLosses, UnknownNamesAndOptions) {
  expect_refused(with_loss("name = \"info_nec\"\n"),
                 "r.toml:13: unknown loss (known: mlm, info_nce, cosent, cosine, late): 'info_nec'; did you mean "
                 "'info_nce'?");
  expect_refused(with_loss("name = \"info_nce\"\ndirection = 1\n"),
                 "r.toml:13: the loss 'info_nce' has no option 'direction'; did you mean 'directions'?");
  expect_refused(with_loss("name = \"mlm\"\nmargin = 1\n"), "the loss 'mlm' has no option 'margin'");
  expect_refused(with_loss("name = \"info_nce\"\nwieght = 1\n"), "did you mean 'weight'?");
}

TEST(RecipeLosses, Columns) {
  expect_refused(with_loss("name = \"cosent\"\n"),
                 "the loss 'cosent' needs 'score', which the columns of the data 'a' lack");
  expect_good(with_loss("name = \"cosent\"\n"), {"data.a.columns.score=s"});
  expect_refused(with_loss("name = \"info_nce\"\n", "text = \"t\""), "needs 'positive'");
  expect_refused(with_loss("name = \"mlm\"\n", "positive = \"p\""), "the loss 'mlm' needs 'query'");
}

TEST(RecipeLosses, Teachers) {
  expect_refused(with_loss("name = \"cosine\"\n"),
                 "r.toml:13: the loss 'cosine' needs a teacher; expected 'teacher' in the stage 'pairs'");
  expect_good(with_loss("name = \"cosine\"\n"), {"stage.pairs.teacher=model"});
}

TEST(RecipeLosses, TheShippedRecipesAreGood) {
  std::vector<LossForm> registry;
  for (const LossEntry& entry : all_losses()) {
    registry.push_back({entry.name, entry.columns, {}});
    for (const LossOption& option : entry.options) registry.back().options.push_back(option.name);
  }
  for (const auto& entry : std::filesystem::directory_iterator(JINA_SOURCE_DIR "/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_NO_THROW(check_losses(read_recipe(entry.path(), {}, {.checks_files = false}), registry)) << entry.path();
  }
}

}  // namespace
}  // namespace jina
