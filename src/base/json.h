#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jina {

class JsonDocument;

/// A view of one value of a JsonDocument; valid while the document lives. Accessors throw Error naming the field and
/// the file when the value has another type.
///
///     JsonDocument document = JsonDocument::parse_file("config.json");
///     int64_t hidden = document.root().at("hidden_size").as_int();
class Json {
 public:
  Json(const JsonDocument& document, simdjson::dom::element element, std::string_view key = {})
      : document_(&document), element_(element), key_(key) {}

  bool is_null() const { return element_.is_null(); }
  bool is_object() const { return element_.is_object(); }
  bool is_array() const { return element_.is_array(); }
  bool is_string() const { return element_.is_string(); }
  bool is_bool() const { return element_.is_bool(); }
  bool is_number() const { return element_.is_number(); }

  /// The member of an object; an Error when absent.
  Json at(std::string_view key) const;
  /// The member of an object; nothing when absent or null.
  std::optional<Json> find(std::string_view key) const;

  std::string_view as_string() const;
  int64_t as_int() const;
  double as_double() const;
  bool as_bool() const;
  std::vector<Json> as_array() const;
  simdjson::dom::object as_object() const;  ///< for iteration in file order: for (auto [key, value] : object)

  std::string string_or(std::string_view key, std::string_view otherwise) const;
  int64_t int_or(std::string_view key, int64_t otherwise) const;
  double double_or(std::string_view key, double otherwise) const;
  bool bool_or(std::string_view key, bool otherwise) const;

  /// The simdjson element itself, for hot loops over large arrays and objects.
  simdjson::dom::element raw() const { return element_; }
  const JsonDocument& document() const { return *document_; }
  /// Throws kModelFile/kInvalidInput (the document's kind) naming this field: "'key': expected a string, found a
  /// number".
  [[noreturn]] void reject(std::string_view expected) const;
  /// The value written back as compact JSON text.
  std::string dump() const;

 private:
  const JsonDocument* document_;
  simdjson::dom::element element_;
  std::string_view key_;  // member name under which it was found; points into the document or a literal
};

/// A parsed JSON text; owns everything its values point into.
class JsonDocument {
 public:
  /// `where` names the source in errors (path, or path:line); `kind` is the kind of those errors.
  static JsonDocument parse(std::string_view text, std::string where, ErrorKind kind);
  static JsonDocument parse_file(const std::string& path);

  Json root() const { return Json(*this, root_); }
  const std::string& where() const { return *where_; }
  ErrorKind kind() const { return kind_; }

 private:
  JsonDocument() = default;
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::element root_;
  std::unique_ptr<std::string> where_;
  ErrorKind kind_ = ErrorKind::kInvalidInput;
};

/// Appends `text` to `out` as a JSON string literal, quotes included. `text` must be valid UTF-8.
void append_json_string(std::string& out, std::string_view text);
/// Appends the shortest decimal that reads back as the same float32; NaN and infinity become null.
void append_json_float(std::string& out, float value);

}  // namespace jina
