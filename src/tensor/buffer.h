#pragma once

#include <cstddef>

namespace jina {

/// Memory of a tensor, 64-byte aligned. Large buffers come from the system and go back to it whole; the allocator would
/// keep them in pieces.
std::byte* take_buffer(size_t bytes);
/// `bytes` as given to take_buffer.
void give_back_buffer(std::byte* buffer, size_t bytes);

}  // namespace jina
