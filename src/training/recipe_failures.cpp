#include <algorithm>
#include <array>

#include "training/recipe_reader.h"

namespace jina {

namespace {

constexpr int64_t kRows = 4000;  // that are made when the recipe does not say

constexpr std::array<std::pair<std::string_view, FailureKind>, 4> kFailures{{{"lookalike", FailureKind::kLookalike},
                                                                             {"names", FailureKind::kNames},
                                                                             {"polar", FailureKind::kPolar},
                                                                             {"rated", FailureKind::kRated}}};

/// What a data set must have so that rated cases can be made of it.
constexpr std::array kRatedColumns{Column::kQuery, Column::kPositive, Column::kScore};

}  // namespace

const DataRecipe& find_data(const Recipe& recipe, std::string_view name) {
  const auto found = std::ranges::find(recipe.data, name, &DataRecipe::name);
  JINA_CHECK(found != recipe.data.end());
  return *found;
}

const DataRecipe& find_named_data(const std::vector<DataRecipe>& data, std::string_view name, std::string_view key,
                                  const std::string& where) {
  const auto found = std::ranges::find(data, name, &DataRecipe::name);
  if (found != data.end()) return *found;
  std::vector<std::string_view> names;
  for (const DataRecipe& one : data) names.push_back(one.name);
  fail(ErrorKind::kInvalidInput, where, "'{}': no [[data]] is named {}", key, with_nearest(name, names));
}

void read_failures(RecipeTable& table, DataRecipe& data) {
  if (!table.has("failures")) {
    for (const char* key : {"from", "held_out"}) {
      if (table.has(key)) fail(ErrorKind::kInvalidInput, table.where(key), "'{}' goes with 'failures', not files", key);
    }
    return;
  }
  for (const char* key : {"files", "columns"}) {
    if (table.has(key)) fail(ErrorKind::kInvalidInput, table.where(key), "'{}': rows of 'failures' are made", key);
  }
  FailureRecipe& failures = data.failures.emplace();
  table.read("failures", failures.kind, std::span<const std::pair<std::string_view, FailureKind>>(kFailures));
  table.read("from", failures.from);
  if (failures.from.empty()) table.reject("from", "the names of [[data]] with files");
  table.read("held_out", failures.is_held_out);
  const bool is_rated = failures.kind == FailureKind::kRated;
  if (is_rated && failures.is_held_out) table.reject("held_out", "false, since rated rows have no templates");
  if (is_rated && failures.from.size() != 1) table.reject("from", "the name of one [[data]]");
  data.columns = {{Column::kQuery, "query"}, {Column::kPositive, "positive"}, {Column::kNegatives, "negatives"}};
  data.most_rows = is_rated ? 0 : kRows;
  data.is_filtered = false;
}

void check_failures(const RecipeTable& table, const DataRecipe& data, const std::vector<DataRecipe>& all) {
  if (!data.failures) return;
  const std::string where = table.where("from");
  for (const std::string& name : data.failures->from) {
    const DataRecipe& source = find_named_data(all, name, "from", where);
    if (source.failures) {
      fail(ErrorKind::kInvalidInput, where, "'from': the rows of '{}' are made themselves; expected data with files",
           name);
    }
    if (data.failures->kind != FailureKind::kRated) continue;
    for (const Column column : kRatedColumns) {
      if (source.columns.contains(column)) continue;
      fail(ErrorKind::kInvalidInput, where, "rated rows need '{}', which the columns of the data '{}' lack",
           to_string(column), name);
    }
  }
}

}  // namespace jina
