#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "jina/types.h"

namespace jina::cli {

/// How an input is cut into rows.
enum class RowFormat : uint8_t { kLines, kJsonl, kCsv, kTsv };

/// One row of the input, or what is wrong with it.
struct InputRow {
  int64_t index = 0;  ///< counted from 0 over the whole input
  std::string where;  ///< "file:line", for messages
  std::string id;     ///< as JSON text; empty when the row has none
  EmbedInput input;
  bool is_repaired = false;  ///< broken UTF-8 was replaced
  std::optional<Error> error;
};

struct RowSettings {
  std::optional<RowFormat> format{};  ///< absent: by the file's ending
  std::string text_field = "text";
  std::optional<std::string> task{};  ///< for rows that name none
  bool use_prompt = true;
};

/// Gives rows one at a time; holds one row in memory.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// False at the end. A broken row comes with `error` set; reading goes on behind it. Throws kIo, kNotFound.
  virtual bool next(InputRow& row) = 0;
};

/// The texts of the command line.
std::unique_ptr<RowReader> read_texts(std::vector<std::string> texts, const RowSettings& settings);
/// A file, a directory (one row per text file, its path as id), or "-" for standard input.
std::unique_ptr<RowReader> read_rows(const std::string& path, const RowSettings& settings);

/// Fills text, id, task, prompt and spans from one JSONL line; a broken line sets `row.error`.
void parse_json_row(std::string_view line, const RowSettings& settings, InputRow& row);

}  // namespace jina::cli
