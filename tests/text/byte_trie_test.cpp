#include "text/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace jina {
namespace {

using Prefixes = std::vector<std::pair<size_t, int32_t>>;

Prefixes prefixes(const ByteTrie& trie, std::string_view text) {
  Prefixes found;
  trie.for_each_prefix(text, [&](size_t length, int32_t value) { found.emplace_back(length, value); });
  return found;
}

TEST(ByteTrie, FindsAllKeysThatATextBeginsWith) {
  const std::vector<std::string_view> keys = {"abc", "a", "b", "abcde", "abd", "abcdefghijklmnop"};
  const ByteTrie trie(keys);
  EXPECT_EQ(prefixes(trie, "abcdx"), (Prefixes{{1, 1}, {3, 0}}));
  EXPECT_EQ(prefixes(trie, "abcdefghijklmnopq"), (Prefixes{{1, 1}, {3, 0}, {5, 3}, {16, 5}}));
  EXPECT_EQ(prefixes(trie, "xa"), Prefixes{});
  EXPECT_EQ(prefixes(trie, ""), Prefixes{});
  EXPECT_EQ(trie.find("abcde"), 3);
  EXPECT_EQ(trie.find("abcd"), std::nullopt);
  EXPECT_EQ(trie.find(""), std::nullopt);
}

TEST(ByteTrie, LastOfEqualKeysCountsAndEmptyKeysAreLeftOut) {
  const std::vector<std::string_view> keys = {"x", "", "yes-yes-yes", "x", "yes-yes-yes"};
  const ByteTrie trie(keys);
  EXPECT_EQ(prefixes(trie, "x"), (Prefixes{{1, 3}}));
  EXPECT_EQ(trie.find("yes-yes-yes"), 4);
  EXPECT_EQ(prefixes(ByteTrie({}), "x"), Prefixes{});
}

TEST(ByteTrie, NulAndHighBytesAreOrdinary) {
  using std::string_view_literals::operator""sv;
  const std::vector<std::string_view> keys = {"\0"sv, "a\0"sv, "a"sv, "\xFF\xFF"sv, "a\0b"sv};
  const ByteTrie trie(keys);
  EXPECT_EQ(prefixes(trie, "a\0b\0"sv), (Prefixes{{1, 2}, {2, 1}, {3, 4}}));
  EXPECT_EQ(prefixes(trie, "\0\0"sv), (Prefixes{{1, 0}}));
  EXPECT_EQ(prefixes(trie, "\xFF\xFF\xFF"sv), (Prefixes{{2, 3}}));
  EXPECT_EQ(prefixes(trie, "b"sv), Prefixes{});
}

TEST(ByteTrie, AgreesWithAMapOnRandomKeys) {
  std::mt19937 generator(7);
  const auto random_text = [&](size_t longest, int alphabet) {
    std::string text(1 + generator() % longest, '\0');
    for (char& c : text) c = static_cast<char>(generator() % static_cast<unsigned>(alphabet));
    return text;
  };
  for (const int alphabet : {2, 5, 256}) {
    std::vector<std::string> keys;
    for (int i = 0; i < 20000; ++i) keys.push_back(random_text(12, alphabet));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    const ByteTrie trie(views);
    std::map<std::string_view, int32_t> expected;
    for (size_t i = 0; i < views.size(); ++i) expected[views[i]] = static_cast<int32_t>(i);
    for (int i = 0; i < 2000; ++i) {
      const std::string text = random_text(15, alphabet);
      Prefixes found;
      for (size_t length = 1; length <= text.size(); ++length) {
        const auto key = expected.find(std::string_view(text).substr(0, length));
        if (key != expected.end()) found.emplace_back(length, key->second);
      }
      ASSERT_EQ(prefixes(trie, text), found);
    }
  }
}

}  // namespace
}  // namespace jina
