#include "text/split_patterns.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/utf8.h"

namespace jina {
namespace {

const JsonDocument& golden() {
  static const JsonDocument document =
      JsonDocument::parse_file(JINA_SOURCE_DIR "/tests/golden/text/byte_level_bpe.json");
  return document;
}

std::vector<std::string> pieces(SplitPattern pattern, std::string_view text) {
  std::vector<ByteSpan> spans;
  split_by_pattern(pattern, text, spans);
  std::vector<std::string> result;
  uint32_t end = 0;
  for (const ByteSpan& span : spans) {
    EXPECT_EQ(span.begin, end);
    end = span.end;
    result.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  EXPECT_EQ(end, text.size());
  return result;
}

TEST(SplitPatterns, GoldenTexts) {
  const std::pair<const char*, SplitPattern> patterns[] = {
      {"gpt2", SplitPattern::kGpt2}, {"qwen2", SplitPattern::kQwen2}, {"cl100k", SplitPattern::kCl100k}};
  size_t count = 0;
  for (const Json& row : golden().root().at("splits").as_array()) {
    const std::vector<Json> columns = row.as_array();
    const std::string_view text = columns[0].as_string();
    for (const auto& [name, pattern] : patterns) {
      std::vector<std::string> expected;
      size_t begin = 0;
      for (const Json& end : columns[1].at(name).as_array()) {
        expected.emplace_back(text.substr(begin, end.as_int() - begin));
        begin = end.as_int();
      }
      EXPECT_EQ(pieces(pattern, text), expected) << name << " on " << testing::PrintToString(text);
      ++count;
    }
  }
  EXPECT_GT(count, 900u);
}

/// What GPT-2's pattern must make of a character of this class (0 other, 1 letter, 2 number, 3 blank) among neighbours
/// that tell the classes apart.
std::vector<std::string> expected_around(int64_t kind, const std::string& character) {
  switch (kind) {
    case 0: return {"x", character + "!", "0"};
    case 1: return {"x" + character, "!", "0"};
    case 2: return {"x", character, "!", "0"};
    default:
      return character == " " ? std::vector<std::string>{"x", " !", "0"}
                              : std::vector<std::string>{"x", character, "!", "0"};
  }
}

TEST(SplitPatterns, ClassOfEveryCodePoint) {
  const std::vector<Json> runs = golden().root().at("classes").as_array();
  size_t run = 0;
  int64_t kind = 0;
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (run < runs.size() && runs[run].as_array()[0].as_int() == point) kind = runs[run++].as_array()[1].as_int();
    if (point >= 0xD800 && point < 0xE000) continue;
    std::string character;
    append_utf8(character, point);
    ASSERT_EQ(pieces(SplitPattern::kGpt2, "x" + character + "!0"), expected_around(kind, character))
        << "U+" << std::hex << static_cast<uint32_t>(point);
    // A blank is not a number: two of them stay together, two numbers of Qwen2's pattern do not.
    const std::vector<std::string> twice = pieces(SplitPattern::kQwen2, character + character);
    ASSERT_EQ(twice.size(), kind == 2 ? 2u : 1u) << "U+" << std::hex << static_cast<uint32_t>(point);
  }
  EXPECT_EQ(run, runs.size());
}

TEST(SplitPatterns, NamedFunctionsAreTheirPatterns) {
  const std::string_view text = "It's 2024,\n\n  don'T";
  std::vector<ByteSpan> spans = {{7, 7}};
  split_gpt2(text, spans);
  EXPECT_EQ(spans.front(), (ByteSpan{7, 7})) << "appends";
  std::vector<ByteSpan> expected = {{7, 7}};
  split_by_pattern(SplitPattern::kGpt2, text, expected);
  EXPECT_EQ(spans, expected);
  spans.clear();
  expected.clear();
  split_qwen2(text, spans);
  split_by_pattern(SplitPattern::kQwen2, text, expected);
  EXPECT_EQ(spans, expected);
  EXPECT_NE(pieces(SplitPattern::kGpt2, text), pieces(SplitPattern::kQwen2, text));
}

TEST(SplitPatterns, LongRunsAreLinear) {
  const std::string blanks(1'000'000, ' ');
  EXPECT_EQ(pieces(SplitPattern::kQwen2, blanks + "x").size(), 2u);
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "\n ";
  EXPECT_EQ(pieces(SplitPattern::kQwen2, lines + "!").size(), 2u);
}

TEST(SplitPatterns, RecognisedByTheirText) {
  EXPECT_EQ(find_split_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
            SplitPattern::kGpt2);
  const std::string qwen2 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
      R"(\s+(?!\S)|\s+)";
  EXPECT_EQ(find_split_pattern(qwen2), SplitPattern::kQwen2);
  std::string cl100k = qwen2;
  cl100k.insert(cl100k.find("\\p{N}|") + 5, "{1,3}");
  EXPECT_EQ(find_split_pattern(cl100k), SplitPattern::kCl100k);
  EXPECT_EQ(find_split_pattern(qwen2 + " "), std::nullopt);
  EXPECT_EQ(find_split_pattern(""), std::nullopt);
}

}  // namespace
}  // namespace jina
