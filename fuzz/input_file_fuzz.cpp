// room: base
// Any bytes as a file, plain or gzip: its lines, or an Error; a plain one's lines are its bytes.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/input_file.h"
#include "support/temporary_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const jina::test::TemporaryDirectory folder;
  constexpr size_t kMostBytes = 64;
  std::string content(reinterpret_cast<const char*>(data), size);
  folder.write("file", content);
  const bool is_packed = content.starts_with("\x1F\x8B");
  std::string all;
  bool is_cut = false;
  try {
    jina::InputFile file(folder.path("file"));
    for (std::string line; jina::read_line(file.stream(), line, kMostBytes);) {
      if (line.size() > kMostBytes + 1) std::abort();
      is_cut = is_cut || line.size() > kMostBytes;
      all += line + '\n';
    }
  } catch (const jina::Error&) {
    if (!is_packed) std::abort();
    return 0;
  }
  if (is_packed || is_cut) return 0;
  if (!content.empty() && content.back() != '\n') content += '\n';
  if (all != content) std::abort();
  return 0;
}
