#include <cctype>
#include <charconv>
#include <sstream>

#include "base/file.h"
#include "training/recipe_reader.h"

namespace jina {

namespace {

[[noreturn]] void fail_at(const toml::parse_error& error) {
  std::string place = place_of(error.source());
  fail(ErrorKind::kInvalidInput, std::move(place), "{}", error.description());
}

toml::table parse_toml(std::string_view text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    fail_at(error);
  }
}

/// "key.path=value" as a table. A value that is no TOML is a string: a shell takes the quotes of a string away.
toml::table parse_override(const std::string& text) {
  const std::string place = "--set " + text;
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail(ErrorKind::kInvalidInput, place, "expected KEY.PATH=VALUE, for example stage.pairs.steps=100");
  }
  try {
    return toml::parse(text, place);
  } catch (const toml::parse_error&) {
    const std::string key = text.substr(0, equals);
    std::ostringstream quoted;
    quoted << key << " = " << toml::value<std::string>(text.substr(equals + 1));
    return parse_toml(quoted.str(), place);
  }
}

std::string name_of(const toml::node& element) {
  const toml::table* table = element.as_table();
  if (table == nullptr) return {};
  for (const char* key : {"name", "kind"}) {  // a stage without a name goes by its kind
    if (const auto name = (*table)[key].value<std::string>()) return *name;
  }
  return {};
}

/// The element of an array of tables that goes by this name, or has this number (from 1).
toml::table& find_element(toml::array& elements, const toml::key& array, const toml::key& wanted) {
  std::vector<std::string> names;
  for (toml::node& element : elements) {
    names.push_back(name_of(element));
    if (names.back() == wanted.str()) return *element.as_table();
  }
  size_t number = 0;
  const std::string_view digits = wanted.str();
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code == std::errc() && end == digits.data() + digits.size() && number >= 1 && number <= elements.size()) {
    return *elements.get(number - 1)->as_table();
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  fail(ErrorKind::kInvalidInput, place_of(wanted.source()), "no [[{}]] is named {}; the recipe has {}", array.str(),
       with_nearest(wanted.str(), known), list);
}

void merge(toml::table& into, toml::table& from);

/// Changes elements of an array of tables, each by its name or number.
void merge_elements(toml::array& elements, const toml::key& array, toml::table& changes) {
  for (auto&& [name, change] : changes) {
    toml::table& element = find_element(elements, array, name);
    if (!change.is_table()) {
      fail(ErrorKind::kInvalidInput, place_of(name.source()), "expected a key behind '{}'", name.str());
    }
    merge(element, *change.as_table());
  }
}

void merge(toml::table& into, toml::table& from) {
  for (auto&& [key, value] : from) {
    toml::node* present = into.get(key.str());
    toml::table* changes = value.as_table();
    if (present != nullptr && changes != nullptr && present->is_table()) {
      merge(*present->as_table(), *changes);
    } else if (present != nullptr && changes != nullptr && present->is_array_of_tables()) {
      merge_elements(*present->as_array(), key, *changes);
    } else {
      into.erase(key.str());  // with the key goes its place in the file
      into.insert_or_assign(key, std::move(value));
    }
  }
}

}  // namespace

toml::table parse_recipe(const std::string& path, const std::vector<std::string>& overrides) {
  toml::table recipe = parse_toml(read_file(path), path);
  for (const std::string& text : overrides) {
    toml::table change = parse_override(text);
    merge(recipe, change);
  }
  return recipe;
}

std::string canonical_text(const toml::table& recipe) {
  std::ostringstream text;
  text << recipe << '\n';
  return text.str();
}

}  // namespace jina
