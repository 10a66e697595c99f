#include "net/model_name.h"

#include <algorithm>

namespace jina {

namespace {

constexpr size_t kMaxNameLength = 96;  // the hub's limit
constexpr size_t kMaxRevisionLength = 200;
constexpr size_t kMaxPartLength = 200;
constexpr size_t kMaxPathLength = 1000;
constexpr std::string_view kEncodedSlash = "%2F";

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter_or_digit(c) || others.find(c) != std::string_view::npos; });
}

bool is_edge(char c) { return c == '.' || c == '-'; }

bool is_valid_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameLength && has_only(text, "._-") && !is_edge(text.front()) &&
         !is_edge(text.back()) && text.find("--") == std::string_view::npos &&
         text.find("..") == std::string_view::npos;
}

/// Calls part(text) for the pieces between slashes; false as soon as one call is false.
template <typename Part>
bool every_part(std::string_view text, Part part) {
  for (;;) {
    const size_t slash = text.find('/');
    if (!part(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_valid_revision(std::string_view text) {
  return text.size() <= kMaxRevisionLength && every_part(text, [](std::string_view part) {
           return !part.empty() && part.front() != '.' && has_only(part, "._-+") &&
                  part.find("..") == std::string_view::npos;
         });
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::optional<ModelName> ModelName::parse(std::string_view text) {
  ModelName result;
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    result.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  result.org = text.substr(0, slash);
  result.name = text.substr(slash + 1);
  if (!is_valid_name(result.org) || !is_valid_name(result.name) || !is_valid_revision(result.revision))
    return std::nullopt;
  return result;
}

std::string ModelName::text() const { return revision == kMainRevision ? repository() : repository() + "@" + revision; }

std::string ModelName::directory() const {
  const std::string plain = org + "--" + name;
  return revision == kMainRevision ? plain : plain + "@" + replaced(revision, "/", kEncodedSlash);
}

std::optional<ModelName> ModelName::from_directory(std::string_view directory) {
  const size_t at = directory.find('@');
  const size_t dashes = directory.substr(0, at).find("--");
  if (dashes == std::string_view::npos) return std::nullopt;
  std::string text = replaced(std::string(directory), kEncodedSlash, "/");
  text.replace(dashes, 2, "/");
  return parse(text);
}

bool is_safe_path(std::string_view path) {
  return path.size() <= kMaxPathLength && every_part(path, [](std::string_view part) {
           return !part.empty() && part.size() <= kMaxPartLength && part.front() != '.' && has_only(part, "._-+=");
         });
}

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace jina
