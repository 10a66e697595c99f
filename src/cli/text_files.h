#pragma once

#include <string>
#include <vector>

namespace jina::cli {

/// Regular files below a directory, in path order, without hidden files and folders. Error kIo.
std::vector<std::string> list_files(const std::string& directory);

/// True when the content is text: no NUL byte.
bool is_text(const std::string& content);

/// The text with line breaks as blanks, for tables and lists.
std::string as_one_line(std::string text);

}  // namespace jina::cli
