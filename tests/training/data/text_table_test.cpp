#include "training/data/text_table.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"

namespace jina {
namespace {

TEST(HashText, DependsOnEveryByteTheLengthAndTheSeed) {
  std::set<uint64_t> hashes;
  std::string text(40, 'a');
  size_t count = 0;
  for (size_t length = 0; length <= text.size(); ++length, ++count) hashes.insert(hash_text(text.substr(0, length)));
  for (size_t i = 0; i < text.size(); ++i, ++count) {
    text[i] = 'b';
    hashes.insert(hash_text(text));
    text[i] = 'a';
  }
  hashes.insert(hash_text(text, 1));
  hashes.insert(hash_text(std::string(3, '\0')));
  EXPECT_EQ(hashes.size(), count + 2);
  EXPECT_EQ(hash_text("the same everywhere"), hash_text(std::string("the same everywhere")));
}

TEST(HashSet, HoldsWhatWasPutIn) {
  HashSet set;
  EXPECT_FALSE(set.contains(0));
  const CounterRng rng(1, "set");
  EXPECT_TRUE(set.insert(0));
  EXPECT_FALSE(set.insert(0));
  for (uint64_t i = 0; i < 10'000; ++i) EXPECT_TRUE(set.insert(rng.bits(i)));
  for (uint64_t i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(set.contains(rng.bits(i)));
    EXPECT_FALSE(set.insert(rng.bits(i)));
    EXPECT_FALSE(set.contains(rng.bits(i + 10'000)));
  }
  EXPECT_EQ(set.size(), 10'001u);
}

TEST(TextTable, EqualTextsHaveOneNumber) {
  TextTable table;
  for (int round = 0; round < 2; ++round) {
    for (int32_t i = 0; i < 5000; ++i) EXPECT_EQ(table.add("text " + std::to_string(i)), i);
  }
  EXPECT_EQ(table.add(""), 5000);
  EXPECT_EQ(table.add(""), 5000);
  EXPECT_EQ(table.size(), 5001);
  EXPECT_EQ(table[17], "text 17");
  EXPECT_EQ(table[5000], "");
}

}  // namespace
}  // namespace jina
