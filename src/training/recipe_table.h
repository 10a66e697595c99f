#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace jina {

/// The values that a number may have.
struct Bounds {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool excludes_ends = false;
};

inline constexpr Bounds kAboveZero{.least = 0, .excludes_ends = true};
inline constexpr Bounds kZeroOrMore{.least = 0};
inline constexpr Bounds kOneOrMore{.least = 1};
inline constexpr Bounds kShare{.least = 0, .most = 1};
inline constexpr Bounds kInsideZeroOne{.least = 0, .most = 1, .excludes_ends = true};

/// The candidate with the fewest edits (Levenshtein) to `name`, when they are few enough for a slip; else empty.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

/// "'names'; did you mean 'name'?" or "'names'": a name nobody knows, with the nearest that is known.
std::string with_nearest(std::string_view name, const std::vector<std::string_view>& candidates);

/// "recipe.toml:12", or the text of the override that gave it.
std::string place_of(const toml::source_region& source);

/// A table of a recipe while it is read: every key is asked for by name, and `finish` refuses the ones nobody asked
/// for.
///
///     RecipeTable run(*table, path);
///     run.read("seed", recipe.seed, kZeroOrMore);
///     run.finish();
class RecipeTable {
 public:
  /// `file` names the recipe where a value has no line of its own. `table` must live longer.
  RecipeTable(const toml::table& table, std::string file) : table_(table), file_(std::move(file)) {}

  /// Each leaves `value` alone when the key is absent. Errors: kInvalidInput naming place, key, expected and found.
  void read(std::string_view key, std::string& value);
  void read(std::string_view key, bool& value);
  void read(std::string_view key, std::optional<bool>& value);
  void read(std::string_view key, std::vector<std::string>& value);  ///< or one string
  void read(std::string_view key, std::vector<int64_t>& value, Bounds bounds);
  void read(std::string_view key, double& value, Bounds bounds);
  void read(std::string_view key, std::optional<double>& value, Bounds bounds);
  void read(std::string_view key, int64_t& value, Bounds bounds);
  void read(std::string_view key, uint64_t& value, Bounds bounds);
  void read(std::string_view key, int& value, Bounds bounds);

  /// One of a closed set.
  template <typename T>  // an enumeration
  void read(std::string_view key, T& value, std::span<const std::pair<std::string_view, T>> choices) {
    std::string name;
    read(key, name);
    if (!has(key)) return;
    std::string known;
    for (const auto& [choice, meaning] : choices) {
      if (choice == name) {
        value = meaning;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(choice);
    }
    reject(key, "one of " + known);
  }

  /// The tables of an array of tables, or of one table; nothing when absent.
  std::vector<RecipeTable> tables(std::string_view key);
  std::optional<RecipeTable> table(std::string_view key);

  bool has(std::string_view key) const { return table_.contains(key); }
  /// The value, marked as asked for; null when absent.
  const toml::node* take(std::string_view key);
  /// The keys nobody has asked for, in the order of the alphabet.
  std::vector<std::string_view> untaken() const;
  /// Where the key stands; where the table begins when it is absent.
  std::string where(std::string_view key = {}) const;
  [[noreturn]] void reject(std::string_view key, std::string_view expected) const;
  /// Error when keys are left that nobody asked for.
  void finish() const;

 private:
  const toml::table& table_;
  std::string file_;
  std::vector<std::string_view> asked_;  // literals of the readers
};

}  // namespace jina
