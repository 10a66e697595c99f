#include "text/token_table.h"

#include <gtest/gtest.h>

#include <string>

namespace jina {
namespace {

TEST(TokenTable, FindsWhatIsThere) {
  const std::vector<std::string_view> texts = {"a", {}, "", "the", "a long token of more than sixteen bytes"};
  const TokenTable table(texts);
  EXPECT_EQ(table.size(), 5);
  EXPECT_EQ(table.find("a"), 0);
  EXPECT_EQ(table.find(""), 2);
  EXPECT_EQ(table.find("the"), 3);
  EXPECT_EQ(table.find(texts[4]), 4);
  for (const char* absent : {"b", "th", "thee", "a long token of more than sixteen byte", "\xff"}) {
    EXPECT_EQ(table.find(absent), TokenTable::kAbsent) << absent;
  }
  EXPECT_EQ(table.text(1), "");
  EXPECT_EQ(table.text(3), "the");
  EXPECT_EQ(table.duplicate(), std::nullopt);
}

TEST(TokenTable, Empty) {
  const TokenTable table({});
  EXPECT_EQ(table.size(), 0);
  EXPECT_EQ(table.find(""), TokenTable::kAbsent);
  EXPECT_EQ(table.find("a"), TokenTable::kAbsent);
}

TEST(TokenTable, NamesADuplicate) {
  const TokenTable table(std::vector<std::string_view>{"a", "b", "a"});
  EXPECT_EQ(table.duplicate(), 2);
  EXPECT_EQ(table.find("a"), 0);
}

TEST(TokenTable, EveryLengthAndNeighbour) {
  std::vector<std::string> strings;
  for (size_t size = 1; size <= 40; ++size) {
    for (int last = 0; last < 50; ++last) strings.push_back(std::string(size - 1, 'x') + static_cast<char>('0' + last));
    if (size > 1) {
      strings.emplace_back(size, 'x');
      strings.back().front() = 'y';
    }
  }
  const std::vector<std::string_view> texts(strings.begin(), strings.end());
  const TokenTable table(texts);
  EXPECT_EQ(table.duplicate(), std::nullopt);
  std::vector<std::string_view> asked;
  std::vector<int32_t> expected;
  for (size_t id = 0; id < texts.size(); ++id) {
    ASSERT_EQ(table.find(texts[id]), static_cast<int32_t>(id)) << texts[id];
    ASSERT_EQ(table.find(strings[id] + "~"), TokenTable::kAbsent);
    asked.insert(asked.end(), {texts[id], "absent", "a text that is longer than any that the table has by far"});
    expected.insert(expected.end(), {static_cast<int32_t>(id), TokenTable::kAbsent, TokenTable::kAbsent});
  }
  std::vector<int32_t> found(asked.size(), 77);
  table.find_all(asked, found);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace jina
