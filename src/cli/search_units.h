#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jina::cli {

/// A line or paragraph that can be found.
struct SearchUnit {
  std::string path;  ///< as given, or joined from the directory given
  int64_t line;      ///< of its first character, counted from 1
  std::string text;
};

enum class UnitKind : uint8_t { kLine, kParagraph };

/// The lines, or the paragraphs (blocks between blank lines), of a text that are not blank.
void append_units(const std::string& path, const std::string& content, UnitKind kind, std::vector<SearchUnit>& units);

/// Reads files, and directories with all text files below them (hidden ones and those with NUL bytes left out); "-" is
/// standard input. Errors: kNotFound, kIo.
std::vector<SearchUnit> read_units(const std::vector<std::string>& inputs, UnitKind kind);

}  // namespace jina::cli
