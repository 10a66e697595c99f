#include "net/directory_lock.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

TEST(DirectoryLock, IsHeldByOneAtATime) {
  const test::TemporaryDirectory models;
  {
    const DirectoryLock lock(models.path(), "acme--tiny");
    EXPECT_THROW(DirectoryLock(models.path(), "acme--tiny"), Error);
    EXPECT_NO_THROW(DirectoryLock(models.path(), "acme--other"));
  }
  EXPECT_NO_THROW(DirectoryLock(models.path(), "acme--tiny"));
}

}  // namespace
}  // namespace jina
