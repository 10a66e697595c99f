#pragma once

#include <cstddef>
#include <cstdint>

namespace jina {

/// Memory straight from the system, zeroed, page-aligned; given back to it by unmap_pages at once, where an allocator
/// might keep it. Error kIo when there is none left.
std::byte* map_pages(size_t bytes);
void unmap_pages(std::byte* pages, size_t bytes);

/// Most memory that this process has had resident so far; 0 where the system does not tell.
int64_t peak_resident_bytes();

}  // namespace jina
