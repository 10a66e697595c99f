#include "training/data/masking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "support/expect_error.h"
#include "support/tiny_tokenizer.h"
#include "training/data/encode_text.h"

namespace jina {
namespace {

constexpr int32_t kMask = 3;

/// Ids 0 to 3 are special, 4 to 999 ordinary.
MaskVocabulary make_vocabulary() {
  MaskVocabulary vocabulary;
  vocabulary.mask = kMask;
  vocabulary.is_special.assign(1000, 0);
  for (size_t id = 0; id < 4; ++id) vocabulary.is_special[id] = 1;
  for (int32_t id = 4; id < 1000; ++id) vocabulary.ordinary.push_back(id);
  return vocabulary;
}

/// [1, words of one, two, three, one, … tokens, 2]
struct Text {
  std::vector<int32_t> ids{1};
  std::vector<uint8_t> starts{1};
  std::vector<size_t> word_of{0};  // (tokens) 0: none

  explicit Text(size_t words) {
    for (size_t word = 1; word <= words; ++word) {
      for (size_t i = 0; i < 1 + word % 3; ++i) {
        ids.push_back(static_cast<int32_t>(10 + ids.size() % 900));
        starts.push_back(i == 0 ? 1 : 0);
        word_of.push_back(word);
      }
    }
    ids.push_back(2);
    starts.push_back(1);
    word_of.push_back(0);
  }
};

TEST(MaskWords, IsAFunctionOfSeedStepAndRow) {
  const Text text(40);
  const MaskVocabulary vocabulary = make_vocabulary();
  const auto mask = [&](const MaskDraw& draw) { return mask_words(text.ids, text.starts, vocabulary, 0.3, draw).ids; };
  const auto first = mask({1, 2, 3});
  EXPECT_EQ(mask({1, 2, 3}), first);
  EXPECT_NE(mask({2, 2, 3}), first);
  EXPECT_NE(mask({1, 3, 3}), first);
  EXPECT_NE(mask({1, 2, 4}), first);
}

TEST(MaskWords, WholeWordsAndTheirTargets) {
  const Text text(40);
  const MaskVocabulary vocabulary = make_vocabulary();
  for (int64_t row = 0; row < 200; ++row) {
    const MaskedText masked = mask_words(text.ids, text.starts, vocabulary, 0.3, {1, 0, row});
    ASSERT_EQ(masked.positions.size(), masked.targets.size());
    std::vector<uint8_t> is_chosen(text.ids.size());
    for (size_t i = 0; i < masked.positions.size(); ++i) {
      const auto position = static_cast<size_t>(masked.positions[i]);
      EXPECT_TRUE(i == 0 || masked.positions[i - 1] < masked.positions[i]);
      EXPECT_EQ(masked.targets[i], text.ids[position]);
      EXPECT_NE(text.word_of[position], 0u) << "special tokens are in no word";
      is_chosen[position] = 1;
    }
    std::map<size_t, std::pair<int, int>> words;  // word → tokens, chosen tokens
    for (size_t i = 0; i < text.ids.size(); ++i) {
      EXPECT_TRUE(is_chosen[i] != 0 || masked.ids[i] == text.ids[i]);
      ++words[text.word_of[i]].first;
      words[text.word_of[i]].second += is_chosen[i];
    }
    int chosen = 0;
    for (const auto& [word, counts] : words) {
      EXPECT_TRUE(counts.second == 0 || counts.second == counts.first) << "word " << word;
      chosen += counts.second > 0 ? 1 : 0;
    }
    EXPECT_EQ(chosen, 12) << "30 % of 40";
  }
}

/// Counts over many texts lie within four standard deviations of what they should be.
TEST(MaskWords, SharesOfWordsAndFates) {
  const Text text(7);  // 30 % of 7 words: 2 or 3
  const MaskVocabulary vocabulary = make_vocabulary();
  constexpr int kTexts = 20'000;
  double words = 0;
  double tokens = 0;
  double hidden = 0;
  double changed = 0;
  std::vector<double> chosen(text.ids.size());
  for (int64_t row = 0; row < kTexts; ++row) {
    const MaskedText masked = mask_words(text.ids, text.starts, vocabulary, 0.3, {1, row, 0});
    for (size_t i = 0; i < masked.positions.size(); ++i) {
      const auto position = static_cast<size_t>(masked.positions[i]);
      words += text.starts[position];
      chosen[position] += 1;
      tokens += 1;
      EXPECT_TRUE(masked.ids[position] == kMask || masked.ids[position] > 3);
      hidden += masked.ids[position] == kMask ? 1 : 0;
      changed += masked.ids[position] != kMask && masked.ids[position] != masked.targets[i] ? 1 : 0;
    }
  }
  EXPECT_NEAR(words / kTexts, 2.1, 4 * std::sqrt(0.09 / kTexts)) << "the rounding's variance is .1 x .9";
  EXPECT_NEAR(hidden / tokens, 0.8, 4 * std::sqrt(0.16 / tokens));
  EXPECT_NEAR(changed / tokens, 0.1 * 995 / 996, 4 * std::sqrt(0.09 / tokens));
  for (size_t i = 1; i + 1 < chosen.size(); ++i) {
    EXPECT_NEAR(chosen[i] / kTexts, 0.3, 4 * std::sqrt(0.21 / kTexts)) << "all words alike, token " << i;
  }
}

TEST(MaskWords, EdgesOfTheRate) {
  const Text text(5);
  const MaskVocabulary vocabulary = make_vocabulary();
  EXPECT_TRUE(mask_words(text.ids, text.starts, vocabulary, 0, {}).positions.empty());
  EXPECT_EQ(mask_words(text.ids, text.starts, vocabulary, 1, {}).positions.size(), text.ids.size() - 2);
  const std::vector<int32_t> special{1, 2};
  EXPECT_TRUE(mask_words(special, std::vector<uint8_t>{1, 1}, vocabulary, 1, {}).positions.empty());
}

TEST(MaskWords, WordsOfEachKindOfTokenizer) {
  for (const char* name : {"bert-tiny-mean", "v3-tiny", "v2-code-6h"}) {
    const Tokenizer tokenizer = test::tiny_tokenizer(name);
    const MaskVocabulary vocabulary = find_mask_vocabulary(tokenizer);
    const Encoding encoding = encode_start(tokenizer, "unbelievably long words everywhere around", {});
    EXPECT_EQ(encoding.special.front(), 1) << name;
    int64_t tokens = 0;
    for (int64_t row = 0; row < 300; ++row) {
      const MaskedText masked = mask_words(encoding.ids, encoding.word_starts, vocabulary, 0.2, {1, 1, row});
      ASSERT_FALSE(masked.positions.empty());
      for (size_t i = 0; i < masked.positions.size(); ++i) {
        const auto position = static_cast<size_t>(masked.positions[i]);
        EXPECT_EQ(encoding.special[position], 0);
        EXPECT_EQ(encoding.word_starts[position], i == 0 ? 1 : 0) << "one word of five";
        EXPECT_EQ(vocabulary.is_special[static_cast<size_t>(masked.ids[position])] != 0,
                  masked.ids[position] == vocabulary.mask);
      }
      const auto after = static_cast<size_t>(masked.positions.back()) + 1;
      EXPECT_TRUE(encoding.word_starts[after] != 0) << "to its end";
      tokens += static_cast<int64_t>(masked.positions.size());
    }
    EXPECT_GT(tokens, 600) << "the words are of several tokens";
  }
}

TEST(FindMaskVocabulary, NeedsAMaskToken) {
  const Tokenizer tokenizer = test::tiny_tokenizer("bert-tiny-mean");
  const MaskVocabulary vocabulary = find_mask_vocabulary(tokenizer);
  EXPECT_EQ(vocabulary.mask, tokenizer.id("[MASK]"));
  EXPECT_EQ(vocabulary.ordinary.size() + 5, static_cast<size_t>(tokenizer.vocab_size()));
  const Tokenizer none = Tokenizer::parse(
      R"({"added_tokens": [], "model": {"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "##",
          "max_input_chars_per_word": 9, "vocab": {"u": 0}}})",
      "none.json");
  test::expect_error(ErrorKind::kModelFile, "expected a token [MASK] or <mask>", [&] { find_mask_vocabulary(none); });
}

}  // namespace
}  // namespace jina
