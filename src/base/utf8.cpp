#include "base/utf8.h"

namespace jina {

namespace {

bool is_continuation(std::string_view text, size_t position) {
  return position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0u) == 0x80u;
}

struct Sequence {
  size_t length;  // bytes that belong together: a whole character, or a maximal broken part
  bool is_valid;
};

/// The sequence that starts at `position` (Unicode 15, table 3-7: well-formed byte sequences).
Sequence read_sequence(std::string_view text, size_t position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t expected = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (!is_continuation(text, position + 1)) return {1, false};
  const auto second = static_cast<unsigned char>(text[position + 1]);
  const bool is_bad_second = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                             (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  if (is_bad_second) return {1, false};
  for (size_t i = 2; i < expected; ++i) {
    if (!is_continuation(text, position + i)) return {i, false};
  }
  return {expected, true};
}

}  // namespace

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    const Sequence sequence = read_sequence(text, position);
    if (!sequence.is_valid) return position;
    position += sequence.length;
  }
  return std::nullopt;
}

std::string repair_utf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size() + 8);
  for (size_t position = 0; position < text.size();) {
    const Sequence sequence = read_sequence(text, position);
    if (sequence.is_valid) {
      repaired.append(text.substr(position, sequence.length));
    } else {
      append_utf8(repaired, kReplacementCharacter);
    }
    position += sequence.length;
  }
  return repaired;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace jina
