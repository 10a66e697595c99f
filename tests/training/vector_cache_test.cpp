#include "training/vector_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_directory.h"

namespace jina {
namespace {

using testing::ElementsAre;

const std::vector<int32_t> kFirst{1, 2, 3}, kSecond{1, 2}, kThird{3, 2, 1};

TEST(VectorCache, GivesBackWhatWasAddedAlsoWhenOpenedAgain) {
  const test::TemporaryDirectory files;
  {
    VectorCache cache(files.path("v.bin"), 2);
    EXPECT_FALSE(cache.find(kFirst));
    cache.add(kFirst, std::vector<float>{1, 2});
    cache.add(kSecond, std::vector<float>{3, 4});
    cache.add(kFirst, std::vector<float>{9, 9});  // known: stays
    EXPECT_THAT(*cache.find(kFirst), ElementsAre(1, 2));
  }
  VectorCache cache(files.path("v.bin"), 2);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_THAT(*cache.find(kSecond), ElementsAre(3, 4));
  EXPECT_FALSE(cache.find(kThird)) << "the order of ids counts";
}

TEST(VectorCache, DropsALastRecordThatWasNotWrittenWhole) {
  const test::TemporaryDirectory files;
  {
    VectorCache cache(files.path("v.bin"), 2);
    cache.add(kFirst, std::vector<float>{1, 2});
    cache.add(kSecond, std::vector<float>{3, 4});
  }
  std::filesystem::resize_file(files.path("v.bin"), std::filesystem::file_size(files.path("v.bin")) - 3);
  VectorCache cache(files.path("v.bin"), 2);
  EXPECT_THAT(*cache.find(kFirst), ElementsAre(1, 2));
  EXPECT_FALSE(cache.find(kSecond));
  cache.add(kThird, std::vector<float>{5, 6});
  EXPECT_THAT(*cache.find(kThird), ElementsAre(5, 6));
}

TEST(VectorCache, OfAnotherWidthIsBegunAnew) {
  const test::TemporaryDirectory files;
  { VectorCache(files.path("v.bin"), 2).add(kFirst, std::vector<float>{1, 2}); }
  EXPECT_EQ(VectorCache(files.path("v.bin"), 3).size(), 0U);
}

}  // namespace
}  // namespace jina
