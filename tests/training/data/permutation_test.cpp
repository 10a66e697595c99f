#include "training/data/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace jina {
namespace {

std::vector<uint64_t> entries(uint64_t size, uint64_t key) {
  const Permutation permutation(size, key);
  std::vector<uint64_t> result;
  for (uint64_t i = 0; i < size; ++i) result.push_back(permutation[i]);
  return result;
}

TEST(Permutation, EveryEntryOnce) {
  for (const uint64_t size : {1, 2, 3, 5, 16, 17, 255, 256, 257, 1000, 4097, 65536, 100'003}) {
    auto values = entries(size, size * 7);
    std::sort(values.begin(), values.end());
    for (uint64_t i = 0; i < size; ++i) ASSERT_EQ(values[i], i) << size;
  }
}

TEST(Permutation, LargeSizesWork) {
  const uint64_t size = (uint64_t{1} << 40) + 1;
  const Permutation permutation(size, 3);
  std::vector<uint64_t> values;
  for (uint64_t i = 0; i < 1000; ++i) values.push_back(permutation[size - 1 - i]);
  std::sort(values.begin(), values.end());
  EXPECT_LT(values.back(), size);
  EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end());
}

TEST(Permutation, TheKeyDecides) {
  EXPECT_EQ(entries(1000, 5), entries(1000, 5));
  EXPECT_NE(entries(1000, 5), entries(1000, 6));
}

/// All 24 orders of four things come about equally often: chi-square with 23 degrees of freedom, 49.7 is exceeded once
/// in a thousand times.
TEST(Permutation, SmallSizesReachAllOrders) {
  std::map<std::vector<uint64_t>, double> counts;
  constexpr int kKeys = 24'000;
  for (uint64_t key = 0; key < kKeys; ++key) counts[entries(4, key)] += 1;
  ASSERT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [order, count] : counts)
    chi_square += (count - kKeys / 24.0) * (count - kKeys / 24.0) / (kKeys / 24.0);
  EXPECT_LT(chi_square, 49.7);
}

/// Where an entry goes does not depend on where it stood: chi-square over 16 x 16 regions, 225 degrees of freedom (both
/// margins are fixed); 295 is exceeded once in a thousand times.
TEST(Permutation, EntriesSpreadEvenly) {
  constexpr uint64_t kSize = 100'000;
  std::vector<double> counts(256);
  const auto values = entries(kSize, 11);
  for (uint64_t i = 0; i < kSize; ++i) counts[i * 16 / kSize * 16 + values[i] * 16 / kSize] += 1;
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - kSize / 256.0) * (count - kSize / 256.0) / (kSize / 256.0);
  EXPECT_LT(chi_square, 295);
  EXPECT_GT(chi_square, 160) << "too even to be by chance";
}

}  // namespace
}  // namespace jina
