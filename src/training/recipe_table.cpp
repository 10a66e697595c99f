#include "training/recipe_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

namespace jina {

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string expectation(std::string_view what, Bounds bounds) {
  const char* open = bounds.excludes_ends ? ", both excluded" : "";
  if (std::isfinite(bounds.least) && std::isfinite(bounds.most)) {
    return fmt::format("{} between {} and {}{}", what, bounds.least, bounds.most, open);
  }
  if (std::isfinite(bounds.least)) {
    return fmt::format("{} {} {}", what, bounds.excludes_ends ? "above" : "of at least", bounds.least);
  }
  return std::string(what);
}

bool is_within(double value, Bounds bounds) {
  if (!std::isfinite(value)) return false;
  return bounds.excludes_ends ? value > bounds.least && value < bounds.most
                              : value >= bounds.least && value <= bounds.most;
}

std::string text_of(const toml::node& node) {
  std::ostringstream text;
  if (node.is_table()) return "a table";
  if (node.is_array_of_tables()) return "an array of tables";
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

}  // namespace

std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& candidates) {
  std::string_view nearest;
  size_t fewest = std::max<size_t>(2, name.size() / 3) + 1;  // beyond that it is another word, not a slip
  for (const std::string_view candidate : candidates) {
    const size_t edits = edit_distance(name, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

std::string with_nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
  const std::string_view nearest = nearest_name(name, candidates);
  if (nearest.empty()) return fmt::format("'{}'", name);
  return fmt::format("'{}'; did you mean '{}'?", name, nearest);
}

std::string place_of(const toml::source_region& source) {
  if (!source.path || !source.begin) return {};
  if (source.path->starts_with("--set ")) return *source.path;
  return fmt::format("{}:{}", *source.path, source.begin.line);
}

const toml::node* RecipeTable::take(std::string_view key) {
  asked_.push_back(key);
  return table_.get(key);
}

std::string RecipeTable::where(std::string_view key) const {
  const auto found = table_.find(key);
  const std::string place = place_of(found == table_.end() ? table_.source() : found->first.source());
  return place.empty() ? file_ : place;
}

void RecipeTable::reject(std::string_view key, std::string_view expected) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) fail(ErrorKind::kInvalidInput, where(), "'{}' is missing; expected {}", key, expected);
  fail(ErrorKind::kInvalidInput, where(key), "'{}': expected {}, found {}", key, expected, text_of(*node));
}

void RecipeTable::read(std::string_view key, std::string& value) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto text = node->value_exact<std::string>();
  if (!text) reject(key, "a string");
  value = *text;
}

void RecipeTable::read(std::string_view key, bool& value) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto answer = node->value_exact<bool>();
  if (!answer) reject(key, "true or false");
  value = *answer;
}

void RecipeTable::read(std::string_view key, std::optional<bool>& value) {
  bool answer = false;
  read(key, answer);
  if (has(key)) value = answer;
}

void RecipeTable::read(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  value.clear();
  if (const auto text = node->value_exact<std::string>()) {
    value.push_back(*text);
    return;
  }
  const toml::array* list = node->as_array();
  if (list == nullptr) reject(key, "a list of strings");
  for (const toml::node& element : *list) {
    const auto text = element.value_exact<std::string>();
    if (!text) reject(key, "a list of strings");
    value.push_back(*text);
  }
}

void RecipeTable::read(std::string_view key, std::vector<int64_t>& value, Bounds bounds) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  value.clear();
  const std::string expected = expectation("a list of whole numbers,", bounds);
  const toml::array* list = node->as_array();
  if (list == nullptr) reject(key, expected);
  for (const toml::node& element : *list) {
    const auto number = element.value_exact<int64_t>();
    if (!number || !is_within(static_cast<double>(*number), bounds)) reject(key, expected);
    value.push_back(*number);
  }
}

void RecipeTable::read(std::string_view key, double& value, Bounds bounds) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto number = node->is_number() ? node->value<double>() : std::nullopt;
  if (!number || !is_within(*number, bounds)) reject(key, expectation("a number", bounds));
  value = *number;
}

void RecipeTable::read(std::string_view key, std::optional<double>& value, Bounds bounds) {
  double number = 0;
  read(key, number, bounds);
  if (has(key)) value = number;
}

void RecipeTable::read(std::string_view key, int64_t& value, Bounds bounds) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto number = node->value_exact<int64_t>();
  if (!number || !is_within(static_cast<double>(*number), bounds)) reject(key, expectation("a whole number", bounds));
  value = *number;
}

void RecipeTable::read(std::string_view key, uint64_t& value, Bounds bounds) {
  auto number = static_cast<int64_t>(value);
  read(key, number, bounds);
  value = static_cast<uint64_t>(number);
}

void RecipeTable::read(std::string_view key, int& value, Bounds bounds) {
  int64_t number = value;
  bounds.most = std::min(bounds.most, static_cast<double>(std::numeric_limits<int>::max()));
  read(key, number, bounds);
  value = static_cast<int>(number);
}

std::optional<RecipeTable> RecipeTable::table(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) reject(key, fmt::format("a table ([{}])", key));
  return RecipeTable(*node->as_table(), file_);
}

std::vector<RecipeTable> RecipeTable::tables(std::string_view key) {
  std::vector<RecipeTable> list;
  const toml::node* node = take(key);
  if (node == nullptr) return list;
  const toml::array* array = node->as_array();
  const bool are_tables =
      array != nullptr && std::ranges::all_of(*array, [](const toml::node& element) { return element.is_table(); });
  if (!are_tables) reject(key, fmt::format("tables ([[{}]])", key));
  for (const toml::node& element : *array) list.emplace_back(*element.as_table(), file_);
  return list;
}

std::vector<std::string_view> RecipeTable::untaken() const {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : table_) {
    if (std::ranges::find(asked_, key.str()) == asked_.end()) keys.push_back(key.str());
  }
  return keys;
}

void RecipeTable::finish() const {
  for (const std::string_view key : untaken()) {
    fail(ErrorKind::kInvalidInput, where(key), "unknown key {}", with_nearest(key, asked_));
  }
}

}  // namespace jina
