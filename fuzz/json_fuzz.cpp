// room: base
// Any bytes either parse or give an Error; what parses can be walked, and what is written back parses to the same text.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"
#include "base/utf8.h"

namespace {

using jina::Json;
using jina::JsonDocument;

constexpr int kDepthLimit = 200;

/// Calls every accessor on every value; those of another type must throw Error and nothing else.
void walk(const Json& value, int depth) {
  if (depth > kDepthLimit) return;
  const auto attempt = [](auto&& access) {
    try {
      access();
    } catch (const jina::Error&) {
    }
  };
  attempt([&] { value.as_string(); });
  attempt([&] { value.as_int(); });
  attempt([&] { value.as_double(); });
  attempt([&] { value.as_bool(); });
  attempt([&] { value.at("name"); });
  attempt([&] { value.int_or("name", 0); });
  attempt([&] { value.string_or("name", ""); });
  if (value.is_array()) {
    for (const Json& element : value.as_array()) walk(element, depth + 1);
  } else if (value.is_object()) {
    for (const auto& [key, element] : value.as_object()) walk(Json(value.document(), element, key), depth + 1);
  }
}

void check_string_round_trip(std::string_view bytes) {
  std::string literal;
  const std::string text = jina::repair_utf8(bytes);
  jina::append_json_string(literal, text);
  const JsonDocument document = JsonDocument::parse(literal, "literal", jina::ErrorKind::kInvalidInput);
  if (document.root().as_string() != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_string_round_trip(text);
  try {
    const JsonDocument document = JsonDocument::parse(text, "input", jina::ErrorKind::kInvalidInput);
    walk(document.root(), 0);
    const std::string written = document.root().dump();
    const JsonDocument again = JsonDocument::parse(written, "written", jina::ErrorKind::kInvalidInput);
    if (again.root().dump() != written) std::abort();
  } catch (const jina::Error&) {
  }
  return 0;
}
