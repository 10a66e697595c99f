#include "base/json_object.h"

#include <algorithm>
#include <cmath>

namespace jina {

namespace {

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

}  // namespace

JsonObject::JsonObject(const Json& object) {
  for (const auto [key, value] : object.as_object()) set_json(key, Json(object.document(), value, key).dump());
}

JsonObject& JsonObject::set_json(std::string_view key, std::string json) {
  const auto found = std::ranges::find(members_, key, &std::pair<std::string, std::string>::first);
  if (found != members_.end()) {
    found->second = std::move(json);
  } else {
    members_.emplace_back(key, std::move(json));
  }
  return *this;
}

JsonObject& JsonObject::set(std::string_view key, int64_t value) { return set_json(key, fmt::format("{}", value)); }

JsonObject& JsonObject::set(std::string_view key, double value) {
  JINA_CHECK(std::isfinite(value));
  std::string json = fmt::format("{}", value);
  if (json.find_first_of(".e") == std::string::npos) json += ".0";
  return set_json(key, std::move(json));
}

JsonObject& JsonObject::set(std::string_view key, bool value) { return set_json(key, value ? "true" : "false"); }

JsonObject& JsonObject::set(std::string_view key, std::string_view text) { return set_json(key, json_text(text)); }

JsonObject& JsonObject::set(std::string_view key, const std::vector<int64_t>& values) {
  return set_json(key, fmt::format("[{}]", fmt::join(values, ", ")));
}

JsonObject& JsonObject::set(std::string_view key, const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  items.reserve(texts.size());
  for (const std::string& text : texts) items.push_back(json_text(text));
  return set_json(key, fmt::format("[{}]", fmt::join(items, ", ")));
}

JsonObject& JsonObject::set(std::string_view key, const JsonObject& object) { return set_json(key, object.compact()); }

void JsonObject::erase(std::string_view key) {
  std::erase_if(members_, [&](const auto& member) { return member.first == key; });
}

bool JsonObject::has(std::string_view key) const {
  return std::ranges::find(members_, key, &std::pair<std::string, std::string>::first) != members_.end();
}

std::string JsonObject::compact() const {
  std::string json = "{";
  for (const auto& [key, value] : members_) {
    json += fmt::format("{}{}: {}", json.size() > 1 ? ", " : "", json_text(key), value);
  }
  return json + "}";
}

std::string JsonObject::text() const {
  std::string json = "{";
  std::string_view separator = "\n";
  for (const auto& [key, value] : members_) {
    json += fmt::format("{}  {}: {}", separator, json_text(key), value);
    separator = ",\n";
  }
  return json + "\n}\n";
}

}  // namespace jina
