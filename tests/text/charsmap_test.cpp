#include "text/charsmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "support/shared_files.h"

namespace jina {
namespace {

const std::string kGolden = JINA_SOURCE_DIR "/tests/golden/";

std::string encode_base64(std::string_view bytes) {
  constexpr std::string_view kSymbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out.push_back(j <= bytes.size() - i ? kSymbols[bits >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

/// A charsmap of `units` (filled up to 512 of them) and `replacements`.
std::string build_charsmap(std::vector<uint32_t> units, std::string_view replacements) {
  units.resize(512, 0x80000000u);
  std::string bytes;
  const auto append = [&](uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
  };
  append(static_cast<uint32_t>(4 * units.size()));
  for (const uint32_t unit : units) append(unit);
  return encode_base64(bytes + std::string(replacements));
}

/// "a" becomes the replacement that begins at byte `value`: root at 256, its child 'a', whose child 0 is the value.
std::string build_map_of_a(uint32_t value, std::string_view replacements) {
  std::vector<uint32_t> units(512, 0x80000000u);
  units[0] = 256u << 10;
  units[256 ^ 'a'] = (256u << 10) | 0x100u | 'a';
  units['a'] = 0x80000000u | value;
  return build_charsmap(units, replacements);
}

std::string normalized(const Charsmap& charsmap, std::string_view text) {
  NormalizedText out;
  charsmap.normalize(text, out);
  return out.text;
}

class CharsmapGolden : public testing::Test {
 protected:
  const JsonDocument document_ = JsonDocument::parse_file(kGolden + "models/v3-tiny/model/tokenizer.json");
  const std::string base64_{document_.root().at("normalizer").at("precompiled_charsmap").as_string()};
  const Charsmap charsmap_{base64_, "tokenizer.json"};
};

/// `out.origin` with one pair for each character; an empty one is written out.
std::vector<int64_t> origin_of_characters(const NormalizedText& out) {
  std::vector<int64_t> origin;
  for (size_t begin = 0; begin < out.text.size();) {
    size_t end = begin;
    next_code_point(out.text, end);
    const ByteSpan unmoved = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    const ByteSpan span = out.origin.empty() ? unmoved : out.origin.at(begin);
    for (size_t i = begin; i < end && !out.origin.empty(); ++i) EXPECT_EQ(out.origin.at(i), span);
    origin.insert(origin.end(), {span.begin, span.end});
    begin = end;
  }
  return origin;
}

TEST_F(CharsmapGolden, TextAndOriginsAreThoseOfTheReference) {
  int cases = 0;
  test::for_each_line(read_file(kGolden + "text/unigram_cases.jsonl"), [&](size_t number, const std::string& line) {
    const JsonDocument row = JsonDocument::parse(line, std::to_string(number), ErrorKind::kInternal);
    NormalizedText out;
    charsmap_.normalize(row.root().at("text").as_string(), out);
    EXPECT_EQ(out.text, row.root().at("normalized").as_string()) << line;
    std::vector<int64_t> origin;
    for (const Json& place : row.root().at("origin").as_array()) origin.push_back(place.as_int());
    EXPECT_EQ(origin_of_characters(out), origin) << line;
    ++cases;
  });
  EXPECT_GE(cases, 100);
}

TEST_F(CharsmapGolden, UnchangedTextHasNoOrigins) {
  NormalizedText out{"left over", {{0, 1}}};
  charsmap_.normalize("Just text, 中文, é.", out);
  EXPECT_EQ(out.text, "Just text, 中文, é.");
  EXPECT_TRUE(out.origin.empty());
  charsmap_.normalize("ﬁ", out);
  EXPECT_EQ(out.text, "fi");
  EXPECT_THAT(out.origin, testing::ElementsAre(ByteSpan{0, 3}, ByteSpan{0, 3}));
}

TEST_F(CharsmapGolden, LongClustersAndLongTextsAreLinear) {
  std::string marks = "e";
  for (int i = 0; i < 200000; ++i) marks += "\u0301";
  EXPECT_EQ(normalized(charsmap_, marks), marks);
  std::string wide;
  for (int i = 0; i < 200000; ++i) wide += "Ａ";
  EXPECT_EQ(normalized(charsmap_, wide), std::string(200000, 'A'));
}

TEST_F(CharsmapGolden, SpoiledBytesGiveAnErrorOrATextButNoWildRead) {
  std::mt19937 generator(11);
  int errors = 0;
  int texts = 0;
  for (int round = 0; round < 400; ++round) {
    std::string spoiled = base64_.substr(0, round % 8 == 0 ? generator() % base64_.size() : base64_.size());
    const auto reach = static_cast<unsigned>(round % 2 == 0 ? spoiled.size() : std::min<size_t>(spoiled.size(), 400));
    for (int i = 0; i < 3 && reach > 0; ++i) spoiled[generator() % reach] = "AZaz09+/="[generator() % 9];
    try {
      const Charsmap charsmap(spoiled, "spoiled");
      normalized(charsmap, "a\u0301 ﬁ ＡＢ①\t\r\n™\x1eg \u3042ｶﾞ ");
      ++texts;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
      EXPECT_EQ(error.where(), "spoiled");
      ++errors;
    }
  }
  EXPECT_GT(errors, 20);
  EXPECT_GT(texts, 20);
}

TEST(Charsmap, SmallMap) {
  const Charsmap charsmap(build_map_of_a(2, std::string("x\0yz\0", 5)), "small");
  EXPECT_EQ(normalized(charsmap, "banana"), "byznyznyz");
  // The shortest key that a cluster begins with replaces all of it, marks included, when it has less than six bytes.
  EXPECT_EQ(normalized(charsmap, "a\u0301b"), "yzb");
  EXPECT_EQ(normalized(charsmap, "a\u0301\u0301\u0301b"), "yz\u0301\u0301\u0301b");
}

std::string error_of(const std::string& base64) {
  try {
    const Charsmap charsmap(base64, "tokenizer.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    return error.what();
  }
  return "no error";
}

TEST(Charsmap, BrokenMapsAreNamed) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of(""), HasSubstr("tokenizer.json: precompiled_charsmap: 0 bytes hold no trie"));
  EXPECT_THAT(error_of("AAAA!AAA"), HasSubstr("character 4 is not base64"));
  EXPECT_THAT(error_of("AAAAA"), HasSubstr("base64 of 5 characters is cut off"));
  EXPECT_THAT(error_of("AAAA==="), HasSubstr("cut off"));
  EXPECT_THAT(error_of("AAB="), HasSubstr("cut off"));  // bits past the last byte
  EXPECT_THAT(error_of(encode_base64(std::string("\0\4\0\0abcd", 8))), HasSubstr("8 bytes hold no trie of 256 units"));
  EXPECT_THAT(error_of(build_map_of_a(0, "\xFF")), HasSubstr("not UTF-8 at byte 0"));
  EXPECT_THAT(error_of(build_map_of_a(4, "xyz")), HasSubstr("has its replacement at byte 4 of 3"));
  EXPECT_THAT(error_of(build_map_of_a(1, "\u00E9")), HasSubstr("has its replacement at byte 1 of 2"));
  EXPECT_THAT(error_of(build_charsmap({512u << 10}, "")), HasSubstr("unit 0 points outside of the 512 units"));
  EXPECT_EQ(error_of(build_map_of_a(3, "xyz")), "no error");  // an empty replacement at the very end
}

}  // namespace
}  // namespace jina
