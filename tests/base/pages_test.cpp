#include "base/pages.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace jina {
namespace {

TEST(Pages, AreZeroedAndWritable) {
  constexpr size_t kBytes = size_t{3} << 20;
  std::byte* pages = map_pages(kBytes);
  EXPECT_EQ(pages[kBytes - 1], std::byte{0});
  pages[kBytes - 1] = std::byte{7};
  EXPECT_EQ(pages[kBytes - 1], std::byte{7});
  unmap_pages(pages, kBytes);
}

TEST(Pages, TooMuchIsAnError) { EXPECT_THROW(map_pages(size_t{1} << 62), Error); }

}  // namespace
}  // namespace jina
