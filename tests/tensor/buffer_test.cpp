#include "tensor/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace jina {
namespace {

TEST(Buffer, IsAlignedAndWholeAtAnySize) {
  for (const size_t bytes : {size_t{1}, size_t{1000}, (size_t{1} << 20) - 1, size_t{1} << 20, (size_t{5} << 20) + 3}) {
    std::byte* buffer = take_buffer(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer) % 64, 0u) << bytes;
    std::memset(buffer, 7, bytes);
    give_back_buffer(buffer, bytes);
  }
}

}  // namespace
}  // namespace jina
