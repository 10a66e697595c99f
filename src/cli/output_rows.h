#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/input_rows.h"
#include "embedding/output.h"
#include "jina/types.h"

namespace jina::cli {

enum class OutputFormat : uint8_t { kJsonl, kJson, kNpy, kCsv, kTable };

/// Error kInvalidArgument naming the known ones.
OutputFormat parse_output_format(std::string_view name);

struct OutputSettings {
  OutputFormat format = OutputFormat::kJsonl;
  VectorEncoding encoding = VectorEncoding::kFloat;
  VectorKind kind = VectorKind::kPooled;
  int64_t dimensions = 0;
};

/// Turns embeddings into the bytes of one output format. Row bytes depend on the row alone, so that a file can be
/// continued where it ended.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  /// What stands in front of all rows.
  virtual std::string header() const { return {}; }
  virtual void append(std::string& out, const InputRow& row, const Embedding& embedding, bool is_first) const = 0;
  /// What stands behind all rows.
  virtual std::string footer() const { return {}; }
  /// The header once the number of rows is known, of the same length; empty when it does not depend on it.
  virtual std::string final_header(int64_t /*rows*/) const { return {}; }
};

/// Error kInvalidArgument when the format cannot hold this kind of vectors.
std::unique_ptr<RowWriter> make_row_writer(const OutputSettings& settings);

}  // namespace jina::cli
