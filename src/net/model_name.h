#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jina {

constexpr std::string_view kMainRevision = "main";

/// The name of a model on a hub: "ORG/NAME", or "ORG/NAME@REVISION" (a branch, a tag, or a commit).
struct ModelName {
  std::string org;
  std::string name;
  std::string revision{kMainRevision};

  /// Nothing when `text` is not of that form. The rules are the hub's own: letters, digits, '.', '_', '-'; no "--", no
  /// "..", no '.' or '-' at an end.
  static std::optional<ModelName> parse(std::string_view text);

  std::string repository() const { return org + "/" + name; }
  /// "ORG/NAME", with "@REVISION" unless that is main.
  std::string text() const;
  /// Name of the directory in our cache: "ORG--NAME", "ORG--NAME@REVISION" ('/' of a revision as "%2F").
  std::string directory() const;
  /// The reverse of directory(); nothing when it is not such a name.
  static std::optional<ModelName> from_directory(std::string_view directory);

  bool operator==(const ModelName&) const = default;
};

/// True when a relative path that a hub sent may become a file below a directory of ours: parts of letters, digits and
/// "._-+=", none empty, none that begins with a dot.
bool is_safe_path(std::string_view path);

/// True for 40 or 64 hexadecimal digits in lower case: what names a commit.
bool is_commit(std::string_view text);

}  // namespace jina
