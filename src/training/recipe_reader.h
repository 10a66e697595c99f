#pragma once

#include "training/recipe.h"
#include "training/recipe_table.h"

// The parts of read_recipe.

namespace jina {

/// The file as a table, with the overrides put in; their values carry "--set key=value" as their place.
toml::table parse_recipe(const std::string& path, const std::vector<std::string>& overrides);

/// The table written back with its keys in the order of the alphabet, without comments: equal for equal recipes.
std::string canonical_text(const toml::table& recipe);

/// One [[stage]] with its objectives, the defaults of its kind filled in.
StageRecipe read_stage(RecipeTable& table);

/// A name that may name a file too: letters, digits, '-' and '_'.
std::string read_name(RecipeTable& table, const std::string& otherwise = {});

/// The data that `key` names, or an error at `where` with the nearest name.
const DataRecipe& find_named_data(const std::vector<DataRecipe>& data, std::string_view name, std::string_view key,
                                  const std::string& where);

/// The keys of rows that are made, when the table has `failures`.
void read_failures(RecipeTable& table, DataRecipe& data);

/// Checks `from` when all data are known.
void check_failures(const RecipeTable& table, const DataRecipe& data, const std::vector<DataRecipe>& all);

/// The word for a column in a recipe.
std::string_view to_string(Column column);

/// `columns`: role = field; `otherwise` when the table has none.
std::map<Column, std::string> read_columns(RecipeTable& table, const std::map<Column, std::string>& otherwise);

}  // namespace jina
