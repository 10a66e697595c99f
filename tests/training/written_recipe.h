#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"
#include "training/recipe.h"

namespace jina::test {

/// A recipe in a folder of its own, beside a model directory "model" and the files a.jsonl, b.jsonl and dev.tsv.
class WrittenRecipe {
 public:
  explicit WrittenRecipe(const std::string& text) {
    files_.write("r.toml", text);
    files_.write("model/config.json", "{}");
    for (const char* name : {"a.jsonl", "b.jsonl", "dev.tsv"}) files_.write(name, "");
  }

  Recipe read(const std::vector<std::string>& overrides = {}, const RecipeReading& reading = {}) const {
    return read_recipe(path("r.toml"), overrides, reading);
  }
  std::string path(const std::string& below) const { return files_.path(below); }

 private:
  TemporaryDirectory files_;
};

/// The least that a recipe needs, without its stages: lines 1 to 6.
inline const std::string kBeginning =
    "[model]\n"
    "from = \"model\"\n"
    "[[data]]\n"
    "name = \"a\"\n"
    "files = \"a.jsonl\"\n"
    "\n";

/// A stage of seven lines: 7 to 13 behind kBeginning.
inline const std::string kPairs =
    "[[stage]]\n"
    "name = \"short\"\n"
    "kind = \"pairs\"\n"
    "data = \"a\"\n"
    "steps = 10\n"
    "batch = 8\n"
    "\n";

/// Fails the test unless reading `text` is refused with `part` in the message, which begins with the place.
inline void expect_refused(const std::string& text, const std::string& part,
                           const std::vector<std::string>& overrides = {}) {
  const WrittenRecipe recipe(text);
  expect_error(ErrorKind::kInvalidInput, part, [&] { recipe.read(overrides); });
}

}  // namespace jina::test
