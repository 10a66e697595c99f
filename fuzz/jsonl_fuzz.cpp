// room: cli
// Any bytes as one line of JSONL: a row that can be embedded, or a row with an Error; nothing else escapes.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/input_rows.h"

namespace {

void check(std::string_view line, const jina::cli::RowSettings& settings) {
  jina::cli::InputRow row;
  row.where = "input:1";
  jina::cli::parse_json_row(line, settings, row);
  if (row.error) return;
  if (jina::find_invalid_utf8(row.input.text)) std::abort();
  if (row.input.task && jina::find_invalid_utf8(*row.input.task)) std::abort();
  if (!settings.use_prompt && row.input.use_prompt) std::abort();
  for (const jina::TextSpan& span : row.input.spans) {
    if (span.begin > span.end) std::abort();
  }
  if (row.id.empty()) return;
  const auto id = jina::JsonDocument::parse(row.id, "id", jina::ErrorKind::kInternal);  // goes into the output as it is
  if (id.root().dump() != row.id) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  check(line, {});
  check(line, {.format = jina::cli::RowFormat::kJsonl, .text_field = "body", .task = "query", .use_prompt = false});
  return 0;
}
