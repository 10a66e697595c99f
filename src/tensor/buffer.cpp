#include "tensor/buffer.h"

#include <new>

#include "base/pages.h"

namespace jina {

namespace {

constexpr size_t kSystemBytes = size_t{1} << 20;
constexpr std::align_val_t kAlignment{64};

}  // namespace

std::byte* take_buffer(size_t bytes) {
  if (bytes >= kSystemBytes) return map_pages(bytes);
  return static_cast<std::byte*>(operator new(bytes, kAlignment));
}

void give_back_buffer(std::byte* buffer, size_t bytes) {
  if (bytes >= kSystemBytes) {
    unmap_pages(buffer, bytes);
  } else {
    operator delete(buffer, kAlignment);
  }
}

}  // namespace jina
