#include "cli/text_files.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"

namespace jina::cli {

namespace {

bool is_hidden(const std::filesystem::path& path) { return path.filename().string().starts_with('.'); }

}  // namespace

std::vector<std::string> list_files(const std::string& directory) {
  std::vector<std::string> files;
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, error);
  if (error) fail(ErrorKind::kIo, directory, "cannot list: {}", error.message());
  for (; entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) fail(ErrorKind::kIo, directory, "cannot list: {}", error.message());
    if (is_hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(error)) {
      files.push_back(entry->path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

bool is_text(const std::string& content) { return content.find('\0') == std::string::npos; }

std::string as_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace jina::cli
