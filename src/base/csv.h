#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace jina {

/// Records of a CSV stream (RFC 4180): fields in double quotes may hold separators, line breaks and doubled quotes.
/// CRLF and a byte-order mark are accepted; blank lines are left out.
class CsvParser {
 public:
  /// `name` of the stream is for messages. Of a record longer than `most_bytes` only that much is kept.
  CsvParser(std::istream& stream, std::string name, char separator, size_t most_bytes)
      : stream_(stream), name_(std::move(name)), separator_(separator), most_bytes_(most_bytes) {}
  /// The fields of the next record; false at the end. Error kInvalidInput for a quote that is never closed.
  bool next(std::vector<std::string>& fields);
  /// Line on which the last record began, counted from 1.
  int64_t line() const { return line_; }
  /// Length of the last record: its characters and separators, kept or not.
  size_t bytes() const { return bytes_; }

 private:
  enum class Record : uint8_t { kEnd, kBlank, kFields };
  Record read_record(std::vector<std::string>& fields);
  int read_quoted(std::string& field);
  /// Counts one more byte of the record; false when it is not to be kept.
  bool keeps() { return bytes_++ < most_bytes_; }

  std::istream& stream_;
  std::string name_;
  char separator_;
  size_t most_bytes_;
  size_t bytes_ = 0;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

}  // namespace jina
