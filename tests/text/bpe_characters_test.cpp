#include "text/bpe_characters.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace jina {
namespace {

const std::vector<std::string> kCharacters = {"a", " ", "é", "ñ", "中", "丮", "文", "丱"};

/// A vocabulary of the bytes of kCharacters and of what the merges make.
struct Vocabulary {
  std::map<std::string, int32_t> ids;
  std::vector<std::string> texts;
  std::vector<MergeTable::Merge> merges;

  Vocabulary() {
    for (const std::string& character : kCharacters) {
      for (const char byte : character) id({byte});
    }
  }
  int32_t id(const std::string& text) {
    const auto [place, is_new] = ids.try_emplace(text, static_cast<int32_t>(texts.size()));
    if (is_new) texts.push_back(text);
    return place->second;
  }
  void add(const std::string& left, const std::string& right) {
    const int32_t left_id = id(left);
    const int32_t right_id = id(right);
    merges.push_back({left_id, right_id, id(left + right)});
  }
};

struct Model {
  TokenTable words;
  MergeTable table;
  CharacterSymbols characters;

  explicit Model(const Vocabulary& vocabulary)
      : words(std::vector<std::string_view>(vocabulary.texts.begin(), vocabulary.texts.end())),
        table(vocabulary.merges),
        characters(vocabulary.merges, table, words) {}

  std::vector<ModelToken> first_symbols(std::string_view text) const {
    std::vector<ModelToken> symbols;
    characters.append(text, symbols);
    return symbols;
  }
};

std::string show(const std::vector<ModelToken>& symbols) {
  std::string text;
  for (const ModelToken& s : symbols) text += fmt::format("{}[{},{}) ", s.id, s.begin, s.end);
  return text;
}

TEST(CharacterSymbols, WholeCharacterWhenNothingDisturbsIt) {
  Vocabulary vocabulary;
  vocabulary.add("\xC3", "\xA9");
  vocabulary.add("\xE4", "\xB8");
  vocabulary.add("\xE4\xB8", "\xAD");
  const Model model(vocabulary);
  EXPECT_EQ(show(model.first_symbols("aé中")),
            fmt::format("{}[0,1) {}[1,3) {}[3,6) ", vocabulary.id("a"), vocabulary.id("é"), vocabulary.id("中")));
  EXPECT_EQ(model.first_symbols("丮").size(), 3u) << "no token: bytes";
}

TEST(CharacterSymbols, BytesWhereANeighbourMayTakeAPiece) {
  Vocabulary vocabulary;
  vocabulary.add(" ", "\xC3");
  vocabulary.add("\xC3", "\xA9");
  const Model model(vocabulary);
  EXPECT_EQ(model.first_symbols("é").size(), 1u);
  EXPECT_EQ(model.first_symbols("éé").size(), 2u);
  EXPECT_EQ(model.first_symbols(" é").size(), 3u);
}

TEST(CharacterSymbols, BytesWhereTheTokenIsUsedBeforeItIsMade) {
  Vocabulary vocabulary;
  vocabulary.id("é");
  vocabulary.add("é", "a");
  vocabulary.add("a", " ");
  vocabulary.add("\xC3", "\xA9");
  EXPECT_EQ(Model(vocabulary).first_symbols("éa").size(), 3u);
}

/// Merges that make each character, in random order of their parts, mixed with merges across the edges of characters.
Vocabulary random_vocabulary(std::mt19937& random) {
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  std::vector<std::vector<std::pair<std::string, std::string>>> groups;
  std::vector<std::string> heads;
  std::vector<std::string> tails;
  for (const std::string& character : kCharacters) {
    std::vector<std::string> parts;
    for (const char byte : character) parts.emplace_back(1, byte);
    groups.emplace_back();
    while (parts.size() > 1) {
      const size_t at = pick(parts.size() - 1);
      groups.back().emplace_back(parts[at], parts[at + 1]);
      parts[at] += parts[at + 1];
      parts.erase(parts.begin() + static_cast<ptrdiff_t>(at) + 1);
    }
    for (size_t size = 1; size <= character.size(); ++size) {
      heads.push_back(character.substr(0, size));
      tails.push_back(character.substr(character.size() - size));
    }
  }
  for (size_t i = 0; i < 4; ++i) groups.push_back({{tails[pick(tails.size())], heads[pick(heads.size())]}});
  Vocabulary vocabulary;
  std::vector<size_t> order;
  for (size_t group = 0; group < groups.size(); ++group) order.insert(order.end(), groups[group].size(), group);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<size_t> done(groups.size(), 0);
  for (const size_t group : order) {
    const auto& [left, right] = groups[group][done[group]++];
    vocabulary.add(left, right);
  }
  return vocabulary;
}

TEST(CharacterSymbols, TokensAreThoseOfBytes) {
  std::mt19937 random(7);
  size_t spared = 0;
  for (int round = 0; round < 400; ++round) {
    const Model model(random_vocabulary(random));
    for (int i = 0; i < 30; ++i) {
      std::string text;
      for (size_t size = 1 + random() % 12; size > 0; --size) text += kCharacters[random() % kCharacters.size()];
      std::vector<ModelToken> symbols = model.first_symbols(text);
      spared += text.size() - symbols.size();
      model.table.merge(symbols, 0);
      std::vector<ModelToken> expected;
      for (uint32_t at = 0; at < text.size(); ++at)
        expected.push_back({model.characters.byte_id(text[at]), at, at + 1});
      model.table.merge(expected, 0);
      ASSERT_EQ(show(symbols), show(expected)) << text;
    }
  }
  EXPECT_GT(spared, 10'000u) << "the shortcut was hardly taken";
}

}  // namespace
}  // namespace jina
