#include "text/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>

#include "base/utf8.h"

namespace jina {
namespace {

TEST(ByteAlphabet, KnownCharacters) {
  EXPECT_EQ(encode_byte_alphabet(" the\n"), "ĠtheĊ");
  EXPECT_EQ(encode_byte_alphabet("é"), "Ã©");
  EXPECT_EQ(encode_byte_alphabet(std::string_view("\0\x7f\xad\xff", 4)), "ĀġŃÿ");
}

TEST(ByteAlphabet, EveryByteThereAndBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  const std::string text = encode_byte_alphabet(bytes);
  EXPECT_EQ(find_invalid_utf8(text), std::nullopt);
  std::set<char32_t> characters;
  for (size_t position = 0; position < text.size();) characters.insert(next_code_point(text, position));
  EXPECT_EQ(characters.size(), 256u);
  std::string decoded = "kept";
  EXPECT_TRUE(decode_byte_alphabet(text, decoded));
  EXPECT_EQ(decoded, "kept" + bytes);
}

TEST(ByteAlphabet, RefusesOtherCharacters) {
  std::string decoded = "kept";
  for (const char* text : {"a b", "▁the", "a\n", "\u0144", "\u00ad"}) {
    EXPECT_FALSE(decode_byte_alphabet(text, decoded)) << text;
    EXPECT_EQ(decoded, "kept");
  }
}

}  // namespace
}  // namespace jina
