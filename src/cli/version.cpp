#include <fmt/format.h>

#include "cli/command.h"

namespace jina::cli {

std::string_view version_number() { return JINA_VERSION; }

std::string version_text() {
  return fmt::format(
      "jina {}\n"
      "compiler: {}\n"
      "build: {}\n"
      "instruction sets: {}\n"
      "matrix products: oneDNN\n"
      "torch: no\n",
      JINA_VERSION, JINA_COMPILER, JINA_BUILD_TYPE, JINA_INSTRUCTION_SETS);
}

}  // namespace jina::cli
