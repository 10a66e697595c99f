#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "training/recipe.h"
#include "training/recipe_table.h"

namespace jina {

namespace {

/// The columns that a loss needs: the words in front of the bar.
std::vector<std::string_view> needed_columns(const LossForm& form) {
  const std::string_view needed = form.columns.substr(0, form.columns.find('|'));
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < needed.size();) {
    const size_t end = std::min(needed.find(' ', begin), needed.size());
    if (end > begin) words.push_back(needed.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

LossForm find_form(const LossRecipe& loss, const std::vector<LossForm>& known) {
  if (loss.name == kMaskedLanguageLoss) return {kMaskedLanguageLoss, "query", {}};
  std::vector<std::string_view> names = {kMaskedLanguageLoss};
  for (const LossForm& form : known) {
    if (form.name == loss.name) return form;
    names.push_back(form.name);
  }
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  fail(ErrorKind::kInvalidInput, loss.where, "unknown loss (known: {}): {}", list, with_nearest(loss.name, names));
}

void check_options(const LossRecipe& loss, const LossForm& form) {
  std::vector<std::string_view> names = form.options;
  for (const auto& [option, value] : loss.options) {
    if (std::ranges::find(names, option) != names.end()) continue;
    names.insert(names.end(), {"name", "weight", "temperature"});
    fail(ErrorKind::kInvalidInput, loss.where, "the loss '{}' has no option {}", loss.name,
         with_nearest(option, names));
  }
}

/// The roles of which a data set must have one so that a loss gets this column; none for what the model gives.
std::vector<Column> roles_for(std::string_view column) {
  if (column == "query") return {Column::kQuery, Column::kText};
  if (column == "positive") return {Column::kPositive};
  if (column == "negatives") return {Column::kNegatives};
  if (column == "score") return {Column::kScore};
  if (column == "label") return {Column::kLabel};
  return {};
}

void check_columns(const LossRecipe& loss, const LossForm& form, const DataRecipe& data) {
  for (const std::string_view column : needed_columns(form)) {
    const std::vector<Column> roles = roles_for(column);
    const bool has_column =
        roles.empty() || std::ranges::any_of(roles, [&](Column role) { return data.columns.contains(role); });
    if (has_column) continue;
    fail(ErrorKind::kInvalidInput, loss.where, "the loss '{}' needs '{}', which the columns of the data '{}' lack",
         loss.name, column, data.name);
  }
}

void check_teacher(const LossRecipe& loss, const LossForm& form, const StageRecipe& stage) {
  for (const std::string_view column : needed_columns(form)) {
    if (!column.starts_with("teacher_") || !stage.teacher.empty()) continue;
    fail(ErrorKind::kInvalidInput, loss.where, "the loss '{}' needs a teacher; expected 'teacher' in the stage '{}'",
         loss.name, stage.name);
  }
}

void check_objective(const ObjectiveRecipe& objective, const StageRecipe& stage, const Recipe& recipe,
                     const std::vector<LossForm>& known) {
  for (const LossRecipe& loss : objective.losses) {
    const LossForm form = find_form(loss, known);
    check_options(loss, form);
    check_teacher(loss, form, stage);
    for (const DataRecipe& data : recipe.data) {
      if (std::ranges::find(objective.data, data.name) != objective.data.end()) check_columns(loss, form, data);
    }
  }
}

}  // namespace

void check_losses(const Recipe& recipe, const std::vector<LossForm>& known) {
  for (const StageRecipe& stage : recipe.stages) {
    for (const ObjectiveRecipe& objective : stage.objectives) check_objective(objective, stage, recipe, known);
  }
}

}  // namespace jina
