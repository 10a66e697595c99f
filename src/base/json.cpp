#include "base/json.h"

#include <charconv>
#include <cmath>

#include "base/file.h"

namespace jina {

namespace {

std::string_view type_name(simdjson::dom::element element) {
  switch (element.type()) {
    case simdjson::dom::element_type::ARRAY: return "an array";
    case simdjson::dom::element_type::OBJECT: return "an object";
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64: return "an integer";
    case simdjson::dom::element_type::DOUBLE: return "a number";
    case simdjson::dom::element_type::STRING: return "a string";
    case simdjson::dom::element_type::BOOL: return "a boolean";
    case simdjson::dom::element_type::NULL_VALUE: return "null";
  }
  return "something else";
}

/// `text` with whole numbers beyond 64 bits written as floating-point ones; nothing when there are none. Python writes
/// such numbers ("model_max_length": int(1e30) in many tokenizer_config.json), simdjson refuses them.
std::optional<std::string> widen_big_integers(std::string_view text) {
  constexpr size_t kLongestDigits = 19;  // of an int64; a uint64 of 20 digits is widened too
  std::string wide;
  bool is_string = false;
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_string = !is_string;
    } else if (!is_string && text[i] >= '0' && text[i] <= '9') {
      const size_t end = std::min(text.find_first_not_of("0123456789.eE+-", i), text.size());
      const std::string_view number = text.substr(i, end - i);
      if (number.size() >= kLongestDigits && number.find_first_of(".eE+-") == std::string_view::npos) {
        wide.append(text, copied, end - copied).append("e0");
        copied = end;
      }
      i = end - 1;
    }
  }
  if (copied == 0) return std::nullopt;
  return wide.append(text.substr(copied));
}

}  // namespace

void Json::reject(std::string_view expected) const {
  const std::string name = key_.empty() ? std::string("value") : fmt::format("'{}'", key_);
  fail(document_->kind(), document_->where(), "{}: expected {}, found {}", name, expected, type_name(element_));
}

Json Json::at(std::string_view key) const {
  const simdjson::dom::object object = as_object();
  simdjson::dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) {
    fail(document_->kind(), document_->where(), "field '{}' is missing{}", key,
         key_.empty() ? "" : fmt::format(" in '{}'", key_));
  }
  return Json(*document_, value, key);
}

std::optional<Json> Json::find(std::string_view key) const {
  simdjson::dom::element value;
  if (!is_object() || as_object().at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return Json(*document_, value, key);
}

std::string_view Json::as_string() const {
  std::string_view value;
  if (element_.get(value) != simdjson::SUCCESS) reject("a string");
  return value;
}

int64_t Json::as_int() const {
  int64_t value = 0;
  if (element_.get(value) != simdjson::SUCCESS) reject("an integer");
  return value;
}

double Json::as_double() const {
  double value = 0;
  if (element_.get(value) != simdjson::SUCCESS) reject("a number");
  return value;
}

bool Json::as_bool() const {
  bool value = false;
  if (element_.get(value) != simdjson::SUCCESS) reject("true or false");
  return value;
}

std::vector<Json> Json::as_array() const {
  simdjson::dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) reject("an array");
  std::vector<Json> values;
  for (simdjson::dom::element element : array) values.emplace_back(*document_, element, key_);
  return values;
}

simdjson::dom::object Json::as_object() const {
  simdjson::dom::object object;
  if (element_.get(object) != simdjson::SUCCESS) reject("an object");
  return object;
}

std::string Json::string_or(std::string_view key, std::string_view otherwise) const {
  const auto value = find(key);
  return std::string(value ? value->as_string() : otherwise);
}

int64_t Json::int_or(std::string_view key, int64_t otherwise) const {
  const auto value = find(key);
  return value ? value->as_int() : otherwise;
}

double Json::double_or(std::string_view key, double otherwise) const {
  const auto value = find(key);
  return value ? value->as_double() : otherwise;
}

bool Json::bool_or(std::string_view key, bool otherwise) const {
  const auto value = find(key);
  return value ? value->as_bool() : otherwise;
}

std::string Json::dump() const { return simdjson::minify(element_); }

JsonDocument JsonDocument::parse(std::string_view text, std::string where, ErrorKind kind) {
  JsonDocument document;
  document.parser_ = std::make_unique<simdjson::dom::parser>();
  document.where_ = std::make_unique<std::string>(std::move(where));
  document.kind_ = kind;
  if (text.data() == nullptr) text = "";  // simdjson copies from it, even when there is nothing to copy
  simdjson::error_code code = document.parser_->parse(text.data(), text.size()).get(document.root_);
  if (code != simdjson::SUCCESS) {
    if (const auto wide = widen_big_integers(text)) {
      code = document.parser_->parse(wide->data(), wide->size()).get(document.root_);
    }
  }
  if (code != simdjson::SUCCESS) {
    fail(kind, document.where(), "not valid JSON: {}", simdjson::error_message(code));
  }
  return document;
}

JsonDocument JsonDocument::parse_file(const std::string& path) {
  return parse(read_file(path), path, ErrorKind::kModelFile);
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out.push_back(c);
        } else {
          out += "\\u00";
          out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
          out.push_back(kHex[c & 15]);
        }
    }
  }
  out.push_back('"');
}

void append_json_float(std::string& out, float value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, result.ptr);
}

}  // namespace jina
