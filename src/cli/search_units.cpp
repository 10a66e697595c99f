#include "cli/search_units.h"

#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/text_files.h"

namespace jina::cli {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

void append_file(const std::string& path, UnitKind kind, bool is_listed, std::vector<SearchUnit>& units) {
  constexpr size_t kTellingBytes = 64 << 10;  // enough to know a picture or an archive without reading it whole
  if (is_listed && !is_text(read_file(path, kTellingBytes))) return;
  append_units(path, read_file(path), kind, units);
}

}  // namespace

void append_units(const std::string& path, const std::string& content, UnitKind kind, std::vector<SearchUnit>& units) {
  bool is_open = false;  // a paragraph goes on
  int64_t number = 0;
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line = std::string_view(content).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    ++number;
    if (is_blank(line)) {
      is_open = false;
      continue;
    }
    const std::string text = repair_utf8(line);
    if (kind == UnitKind::kParagraph && is_open) {
      units.back().text += "\n" + text;
    } else {
      units.push_back({path, number, text});
      is_open = true;
    }
  }
}

std::vector<SearchUnit> read_units(const std::vector<std::string>& inputs, UnitKind kind) {
  std::vector<SearchUnit> units;
  for (const std::string& input : inputs) {
    if (input == "-") {
      const std::string content{std::istreambuf_iterator<char>(std::cin), {}};
      check_interrupted();  // a signal ends the reading like the end of the input
      append_units("(standard input)", content, kind, units);
    } else if (std::filesystem::is_directory(input)) {
      for (const std::string& file : list_files(input)) {
        check_interrupted();
        append_file(file, kind, true, units);
      }
    } else {
      append_file(input, kind, false, units);
    }
  }
  return units;
}

}  // namespace jina::cli
