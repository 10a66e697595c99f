#include "cli/csv.h"

#include "base/error.h"

namespace jina::cli {

namespace {

constexpr int kEnd = std::istream::traits_type::eof();

}  // namespace

bool CsvParser::next(std::vector<std::string>& fields) {
  while (read_record(fields)) {
    if (fields.size() > 1 || !fields.front().empty()) return true;
  }
  return false;
}

/// The rest of a quoted field; returns the character behind the closing quote.
int CsvParser::read_quoted(std::string& field) {
  for (;;) {
    const int c = stream_.get();
    if (c == kEnd) {
      fail(ErrorKind::kInvalidInput, fmt::format("line {}", line_), "a quoted field is never closed");
    }
    if (c == '"') {
      if (stream_.peek() != '"') return stream_.get();
      stream_.get();
    }
    if (c == '\n') ++next_line_;
    field.push_back(static_cast<char>(c));
  }
}

bool CsvParser::read_record(std::vector<std::string>& fields) {
  fields.assign(1, {});
  line_ = next_line_;
  int c = stream_.get();
  if (c == kEnd) return false;
  for (;;) {
    std::string& field = fields.back();
    if (c == '"' && field.empty()) {
      c = read_quoted(field);
    } else if (c == separator_) {
      fields.emplace_back();
      c = stream_.get();
    } else if (c == '\n' || c == kEnd) {
      ++next_line_;
      if (field.ends_with('\r')) field.pop_back();
      break;
    } else {
      field.push_back(static_cast<char>(c));
      c = stream_.get();
      // The mark stands in front of everything, also of a quote.
      if (line_ == 1 && fields.size() == 1 && field == "\xEF\xBB\xBF") field.clear();
    }
  }
  return true;
}

}  // namespace jina::cli
