#include "base/pages.h"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"

namespace jina {

std::byte* map_pages(size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) fail(ErrorKind::kIo, {}, "out of memory: {} bytes were asked for", bytes);
  return static_cast<std::byte*>(pages);
}

void unmap_pages(std::byte* pages, size_t bytes) { ::munmap(pages, bytes); }

int64_t peak_resident_bytes() {
  // Not getrusage: its figure starts with what the process that started this one had.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace jina
