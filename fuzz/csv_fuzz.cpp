// room: base
// Any bytes as CSV: records whose sizes add up, or an Error.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "base/csv.h"
#include "base/error.h"

namespace {

void check(const std::string& text, char separator, size_t most_bytes) {
  std::istringstream stream(text);
  jina::CsvParser parser(stream, "input", separator, most_bytes);
  size_t all = 0;
  int64_t line = 0;
  try {
    for (std::vector<std::string> fields; parser.next(fields);) {
      size_t kept = 0;
      for (const std::string& field : fields) kept += field.size();
      if (fields.empty() || kept > most_bytes || kept > parser.bytes() || parser.line() <= line) std::abort();
      line = parser.line();
      all += parser.bytes();
    }
  } catch (const jina::Error&) {
  }
  if (all > text.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(text, ',', 1 << 20);
  check(text, '\t', 16);
  return 0;
}
