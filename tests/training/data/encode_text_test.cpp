#include "training/data/encode_text.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/rng.h"
#include "support/tiny_tokenizer.h"

namespace jina {
namespace {

/// Long texts of every kind that makes tokens unlike each other in size: words, digits, signs, blanks, marks, scripts
/// without blanks, added tokens.
std::string make_text(uint64_t seed) {
  const CounterRng rng(seed, "text");
  const char* const parts[] = {
      "word",   "the",   " ",      "  ",      "\n",  "\t\t",   "Ünïcode", "123456",
      "…",      "don't", "中文字", "ภาษาไทย", "<s>", "[MASK]", "e\u0301", "averyveryverylongwordwithoutanyend",
      "\u200B", "🙂"};
  std::string text;
  const uint64_t size = 2000 + rng.bits(0) % 8000;
  for (uint64_t i = 1; text.size() < size; ++i) {
    text += parts[rng.bits(i) % std::size(parts)];
    if (rng.bits(i) >> 60 != 0) text += ' ';
  }
  return text;
}

std::vector<std::string> awkward_texts() {
  std::vector<std::string> texts;
  for (uint64_t seed = 0; seed < 40; ++seed) texts.push_back(make_text(seed));
  texts.push_back(std::string(5000, ' ') + "the end of it");
  texts.push_back(std::string(5000, 'x'));
  texts.push_back("word " + std::string(3000, '\n') + std::string(3000, 'x') + " word word");
  texts.push_back(std::string(3000, 'x') + std::string(3000, ' ') + "word");
  texts.push_back("short");
  texts.push_back("");
  return texts;
}

class EncodeStart : public testing::TestWithParam<const char*> {};

TEST_P(EncodeStart, IdsEqualThoseOfTheWholeText) {
  const Tokenizer tokenizer = test::tiny_tokenizer(GetParam());
  for (const std::string& text : awkward_texts()) {
    for (const int64_t length : {0, 3, 8, 50, 200}) {
      for (const bool has_template : {true, false}) {
        const EncodeOptions options{.add_special_tokens = has_template, .max_length = length};
        const Encoding expected = tokenizer.encode(text, options);
        const Encoding encoding = encode_start(tokenizer, text, options);
        ASSERT_EQ(encoding.ids, expected.ids) << GetParam() << ' ' << length << ' ' << text.substr(0, 200);
        ASSERT_EQ(encoding.offsets, expected.offsets);
        ASSERT_EQ(encoding.word_starts.size(), expected.ids.size());
      }
    }
  }
}

/// What stands far behind is not read: bytes that encode() would refuse to see do no harm there.
TEST_P(EncodeStart, LongTextsAreNotReadToTheirEnd) {
  const Tokenizer tokenizer = test::tiny_tokenizer(GetParam());
  std::string text;
  while (text.size() < 3'000'000) text += "some words that go on ";
  const EncodeOptions options{.max_length = 16};
  const auto seconds = [&](auto&& encode) {
    const auto start = std::chrono::steady_clock::now();
    encode();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double whole = seconds([&] { tokenizer.encode(text, options); });
  const double beginning = seconds([&] { encode_start(tokenizer, text, options); });
  EXPECT_LT(beginning * 5, whole);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EncodeStart, testing::Values("bert-tiny-mean", "v3-tiny", "v2-code-6h"));

/// What the tokens from one word start to the next cover.
std::vector<std::string> words_of(const std::string& name, const std::string& text) {
  const Tokenizer tokenizer = test::tiny_tokenizer(name);
  const Encoding encoding = encode_start(tokenizer, text, {.add_special_tokens = false});
  std::vector<ByteSpan> words;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const ByteSpan span = encoding.offsets[i];
    if (encoding.word_starts[i] != 0) words.push_back(span);
    if (!words.empty()) words.back().end = std::max(words.back().end, span.end);
  }
  std::vector<std::string> texts;
  for (const auto [begin, end] : words) texts.push_back(text.substr(begin, end - begin));
  return texts;
}

TEST(EncodeStart, WordsAreThoseOfThePreTokenizer) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("bert-tiny-mean", "Unbelievably tall, isn't it"),
            (Words{"Unbelievably", "tall", ",", "isn", "'", "t", "it"}));
  EXPECT_EQ(words_of("v3-tiny", "unbelievably tall, isn't it"), (Words{"unbelievably", "tall,", "isn't", "it"}));
  EXPECT_EQ(words_of("v2-code-6h", "unbelievably tall, isn't it"),
            (Words{"unbelievably", "tall", ",", "isn", "'t", "it"}));
}

TEST(EncodeStart, CharactersOfScriptsWithoutBlanksAreWords) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("bert-tiny-mean", "a 中文 b"), (Words{"a", "中", "文", "b"}));
  EXPECT_EQ(words_of("v2-code-6h", "a 中文คน b"), (Words{"a", "中", "文", "ค", "น", "b"}));
  EXPECT_EQ(words_of("v2-code-6h", "naïve"), Words{"naïve"}) << "bytes of one character do not part a word";
}

}  // namespace
}  // namespace jina
