#include "cli/model_location.h"

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace jina::cli {
namespace {

TEST(ModelLocation, NamesAreResolvedInTheCacheOfTheEnvironment) {
  const test::TemporaryDirectory cache;
  cache.write("models/all-tiny/config.json", "{}");
  Environment environment;
  environment.cache_dir = cache.path();
  EXPECT_EQ(resolve_model("all-tiny", environment), cache.path("models/all-tiny"));
  EXPECT_THROW(resolve_model("acme/tiny", environment), Error);
}

TEST(ModelLocation, SizesAreReadable) {
  EXPECT_EQ(readable_size(0), "0 B");
  EXPECT_EQ(readable_size(999), "999 B");
  EXPECT_EQ(readable_size(1000), "1.0 kB");
  EXPECT_EQ(readable_size(999'949), "999.9 kB");
  EXPECT_EQ(readable_size(999'960), "1.0 MB");
  EXPECT_EQ(readable_size(1'144'000'000), "1.1 GB");
}

}  // namespace
}  // namespace jina::cli
