#include <algorithm>

#include "base/error.h"
#include "training/recipe.h"
#include "training/recipe_table.h"

namespace jina {

namespace {

/// The words of a list that are apart by blanks or commas, each up to its '='.
std::vector<std::string_view> words_in(std::string_view list) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find_first_of(" ,", begin), list.size());
    const std::string_view word = list.substr(begin, end - begin);
    if (!word.empty()) words.push_back(word.substr(0, word.find('=')));
    begin = end + 1;
  }
  return words;
}

const LossForm& find_form(const LossRecipe& loss, const std::vector<LossForm>& known) {
  std::vector<std::string_view> names;
  for (const LossForm& form : known) {
    if (form.name == loss.name) return form;
    names.push_back(form.name);
  }
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  fail(ErrorKind::kInvalidInput, loss.where, "unknown loss (known: {}): {}", list, with_nearest(loss.name, names));
}

void check_options(const LossRecipe& loss, const LossForm& form) {
  std::vector<std::string_view> names = words_in(form.options);
  for (const auto& [option, value] : loss.options) {
    if (std::ranges::find(names, option) != names.end()) continue;
    names.insert(names.end(), {"name", "weight", "temperature"});
    fail(ErrorKind::kInvalidInput, loss.where, "the loss '{}' has no option {}", loss.name,
         with_nearest(option, names));
  }
}

/// Only what the recipe states can be checked: without `columns` the file decides.
void check_columns(const LossRecipe& loss, const LossForm& form, const DataRecipe& data) {
  if (data.columns.empty()) return;
  for (const std::string_view column : words_in(form.columns.substr(0, form.columns.find('|')))) {
    const bool has_column =
        std::ranges::any_of(data.columns, [&](const auto& entry) { return column_name(entry.first) == column; });
    if (has_column) continue;
    fail(ErrorKind::kInvalidInput, loss.where, "the loss '{}' needs '{}', which the columns of the data '{}' lack",
         loss.name, column, data.name);
  }
}

}  // namespace

void check_losses(const Recipe& recipe, const std::vector<LossForm>& known) {
  for (const StageRecipe& stage : recipe.stages) {
    for (const ObjectiveRecipe& objective : stage.objectives) {
      for (const LossRecipe& loss : objective.losses) {
        const LossForm& form = find_form(loss, known);
        check_options(loss, form);
        for (const DataRecipe& data : recipe.data) {
          if (std::ranges::find(objective.data, data.name) != objective.data.end()) check_columns(loss, form, data);
        }
      }
    }
  }
}

}  // namespace jina
