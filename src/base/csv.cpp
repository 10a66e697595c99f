#include "base/csv.h"

#include "base/error.h"

namespace jina {

namespace {

constexpr int kEnd = std::istream::traits_type::eof();

}  // namespace

bool CsvParser::next(std::vector<std::string>& fields) {
  Record record;
  do {
    record = read_record(fields);
  } while (record == Record::kBlank);
  return record == Record::kFields;
}

/// The rest of a quoted field; returns the character behind the closing quote.
int CsvParser::read_quoted(std::string& field) {
  for (;;) {
    const int c = stream_.get();
    if (c == kEnd) {
      fail(ErrorKind::kInvalidInput, fmt::format("{}:{}", name_, line_), "a quoted field is never closed");
    }
    if (c == '"') {
      if (stream_.peek() != '"') return stream_.get();
      stream_.get();
    }
    if (c == '\n') ++next_line_;
    if (keeps()) field.push_back(static_cast<char>(c));
  }
}

CsvParser::Record CsvParser::read_record(std::vector<std::string>& fields) {
  fields.assign(1, {});
  line_ = next_line_;
  bytes_ = 0;
  int c = stream_.get();
  if (c == kEnd) return Record::kEnd;
  bool is_quoted = false;
  for (;;) {
    std::string& field = fields.back();
    if (c == '"' && field.empty() && !is_quoted) {
      is_quoted = true;
      c = read_quoted(field);
    } else if (c == separator_) {
      if (keeps()) fields.emplace_back();
      is_quoted = false;
      c = stream_.get();
    } else if (c == '\r' && (stream_.peek() == '\n' || stream_.peek() == kEnd)) {
      c = stream_.get();
    } else if (c == '\n' || c == kEnd) {
      ++next_line_;
      break;
    } else {
      if (keeps()) field.push_back(static_cast<char>(c));
      c = stream_.get();
      // The mark stands in front of everything, also of a quote.
      if (line_ == 1 && fields.size() == 1 && field == "\xEF\xBB\xBF") field.clear();
    }
  }
  return fields.size() == 1 && fields.front().empty() && !is_quoted ? Record::kBlank : Record::kFields;
}

}  // namespace jina
