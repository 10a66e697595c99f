#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jina {

constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Byte position of the first byte that is not part of valid UTF-8; nothing when all of it is valid.
std::optional<size_t> find_invalid_utf8(std::string_view text);

/// `text` with each maximal broken part replaced by U+FFFD, as Python's errors="replace" and Rust's from_utf8_lossy do.
std::string repair_utf8(std::string_view text);

/// Decodes the character at `position` of valid UTF-8 and moves `position` past it.
inline char32_t next_code_point(std::string_view text, size_t& position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position);
  if (lead < 0x80) return byte(position++);
  if (lead < 0xE0) {
    const char32_t value = (lead & 0x1Fu) << 6 | (byte(position + 1) & 0x3Fu);
    position += 2;
    return value;
  }
  if (lead < 0xF0) {
    const char32_t value = (lead & 0x0Fu) << 12 | (byte(position + 1) & 0x3Fu) << 6 | (byte(position + 2) & 0x3Fu);
    position += 3;
    return value;
  }
  const char32_t value = (lead & 0x07u) << 18 | (byte(position + 1) & 0x3Fu) << 12 | (byte(position + 2) & 0x3Fu) << 6 |
                         (byte(position + 3) & 0x3Fu);
  position += 4;
  return value;
}

/// Appends `code_point` to `out` as UTF-8.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace jina
