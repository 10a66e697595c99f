#include "base/sha256.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace jina {
namespace {

// FIPS 180-2, appendix B, and the empty message.
constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kMillionA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(Sha256().hex(), kEmpty);
  Sha256 abc;
  abc.update("a");
  abc.update("bc");
  EXPECT_EQ(abc.hex(), kAbc);
}

TEST(Sha256, FileIsReadWhole) {
  const std::string path = testing::TempDir() + "jina-sha256-" + std::to_string(getpid());
  std::ofstream(path) << std::string(1000000, 'a');
  EXPECT_EQ(sha256_of_file(path), kMillionA);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace jina
