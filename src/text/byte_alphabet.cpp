#include "text/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace jina {

namespace {

constexpr bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

/// Character of each byte: itself as Latin-1 when printable there, else the next one from U+0100 on.
constexpr std::array<char32_t, 256> make_alphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) alphabet[byte] = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
  return alphabet;
}

constexpr std::array<char32_t, 256> kAlphabet = make_alphabet();
constexpr char32_t kAlphabetEnd = 0x144;

/// Byte of each character below kAlphabetEnd, -1 for those outside the alphabet.
constexpr std::array<int16_t, kAlphabetEnd> make_bytes() {
  std::array<int16_t, kAlphabetEnd> bytes{};
  for (int16_t& byte : bytes) byte = -1;
  for (int16_t byte = 0; byte < 256; ++byte) bytes[kAlphabet[byte]] = byte;
  return bytes;
}

constexpr std::array<int16_t, kAlphabetEnd> kBytes = make_bytes();

}  // namespace

std::string encode_byte_alphabet(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_utf8(text, kAlphabet[static_cast<unsigned char>(byte)]);
  return text;
}

bool decode_byte_alphabet(std::string_view text, std::string& out) {
  const size_t before = out.size();
  for (size_t position = 0; position < text.size();) {
    const char32_t point = next_code_point(text, position);
    if (point >= kAlphabetEnd || kBytes[point] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(kBytes[point]));
  }
  return true;
}

}  // namespace jina
