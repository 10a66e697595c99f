#include "base/pages.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "base/error.h"

namespace jina {

std::byte* map_pages(size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) fail(ErrorKind::kIo, {}, "out of memory: {} bytes were asked for", bytes);
  return static_cast<std::byte*>(pages);
}

void unmap_pages(std::byte* pages, size_t bytes) { ::munmap(pages, bytes); }

int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace jina
