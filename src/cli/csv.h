#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace jina::cli {

/// Records of a CSV stream (RFC 4180): fields in double quotes may hold separators, line breaks and doubled quotes.
/// CRLF and a byte-order mark are accepted; blank lines are left out.
class CsvParser {
 public:
  /// `name` of the stream is for messages.
  CsvParser(std::istream& stream, std::string name, char separator)
      : stream_(stream), name_(std::move(name)), separator_(separator) {}
  /// The fields of the next record; false at the end. Error kInvalidInput for a quote that is never closed.
  bool next(std::vector<std::string>& fields);
  /// Line on which the last record began, counted from 1.
  int64_t line() const { return line_; }

 private:
  enum class Record : uint8_t { kEnd, kBlank, kFields };
  Record read_record(std::vector<std::string>& fields);
  int read_quoted(std::string& field);

  std::istream& stream_;
  std::string name_;
  char separator_;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

}  // namespace jina::cli
