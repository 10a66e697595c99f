#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace jina {

/// A JSON object that is made or changed: its members in order, each value as JSON text.
///
///     JsonObject config(document.root());
///     config.set("max_position_embeddings", 8192);
///     file.write(config.text());
class JsonObject {
 public:
  JsonObject() = default;
  /// Takes over all members; of one that is given twice, the last value. Error when it is not an object.
  explicit JsonObject(const Json& object);

  /// Sets a member, at its place when it is there already, else at the end.
  JsonObject& set(std::string_view key, int64_t value);
  JsonObject& set(std::string_view key, int value) { return set(key, int64_t{value}); }
  /// Always with a point or an exponent, so that readers with types see a fractional number. Must be finite.
  JsonObject& set(std::string_view key, double value);
  JsonObject& set(std::string_view key, bool value);
  JsonObject& set(std::string_view key, std::string_view text);
  JsonObject& set(std::string_view key, const char* text) { return set(key, std::string_view(text)); }
  JsonObject& set(std::string_view key, const std::string& text) { return set(key, std::string_view(text)); }
  JsonObject& set(std::string_view key, const std::vector<int64_t>& values);
  JsonObject& set(std::string_view key, const std::vector<std::string>& texts);
  JsonObject& set(std::string_view key, const JsonObject& object);
  /// A value that is JSON text already.
  JsonObject& set_json(std::string_view key, std::string json);
  void erase(std::string_view key);

  bool has(std::string_view key) const;
  bool is_empty() const { return members_.empty(); }
  /// One line.
  std::string compact() const;
  /// One member a line, with a line end behind it: for files.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;  // key, JSON text
};

}  // namespace jina
