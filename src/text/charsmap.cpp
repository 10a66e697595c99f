#include "text/charsmap.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/utf8.h"
#include "text/grapheme.h"

namespace jina {
namespace {

constexpr size_t kLongestCluster = 5;  // bytes; longer clusters are looked up character by character only

// A unit of the double array (Darts-clone): label in the low byte and bit 31, bit 8 says that the child 0 is a value.
constexpr uint32_t unit_label(uint32_t unit) { return unit & 0x800000FFu; }
constexpr bool has_value(uint32_t unit) { return (unit >> 8 & 1) != 0; }
constexpr uint32_t unit_offset(uint32_t unit) { return (unit >> 10) << ((unit & 0x200u) >> 6); }
constexpr uint32_t unit_value(uint32_t unit) { return unit & 0x7FFFFFFFu; }

constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }

size_t character_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Padding may be missing, and bits past the last byte must be zero: the rules of the reference's decoder.
std::string decode_base64(std::string_view text, const std::string& where) {
  size_t symbols = text.size();
  while (symbols > 0 && text[symbols - 1] == '=') --symbols;
  const size_t padding = text.size() - symbols;
  const bool is_padded_badly = padding > 0 && (symbols % 4 < 2 || symbols % 4 + padding > 4);
  if (symbols % 4 == 1 || is_padded_badly) {
    fail(ErrorKind::kModelFile, where, "precompiled_charsmap: base64 of {} characters is cut off", text.size());
  }
  std::array<int8_t, 256> values{};
  for (int byte = 0; byte < 256; ++byte) {
    values[static_cast<size_t>(byte)] = static_cast<int8_t>(base64_value(static_cast<char>(byte)));
  }
  std::string bytes;
  bytes.reserve(symbols / 4 * 3 + 2);
  uint32_t bits = 0;
  int bit_count = 0;
  for (size_t i = 0; i < symbols; ++i) {
    const int value = values[static_cast<unsigned char>(text[i])];
    if (value < 0) fail(ErrorKind::kModelFile, where, "precompiled_charsmap: character {} is not base64", i);
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0x3FFFu;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<char>(bits >> bit_count & 0xFFu));
    }
  }
  if ((bits & ((1u << bit_count) - 1)) != 0) {
    fail(ErrorKind::kModelFile, where, "precompiled_charsmap: base64 of {} characters is cut off", text.size());
  }
  return bytes;
}

uint32_t read_u32(std::string_view bytes, size_t position) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[position + i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

/// Writes changed text with its origins as NormalizedString::transform of the reference does. That counts characters: a
/// new character takes the next old one, a surplus one shares the place of the one before, and removed ones are skipped
/// with the character written last. Two habits show in offsets: characters removed before anything was written are not
/// skipped, so that all later origins lag behind; and a surplus character written last moves on to the removed one.
class AlignedWriter {
 public:
  /// `changed_from`: the bytes before it have been found to stay as they are.
  AlignedWriter(std::string_view source, size_t changed_from, NormalizedText& out) : source_(source), out_(out) {
    out_.text.reserve(source.size() + source.size() / 8);
    out_.origin.reserve(source.size() + source.size() / 8);
    keep(0, changed_from);
  }

  /// Copies the unchanged bytes [begin, end) of the source.
  void keep(size_t begin, size_t end) {
    if (taken_ == begin) return keep_in_place(end);
    while (begin < end) {
      const size_t size = character_length(source_[begin]);
      take(source_.substr(begin, size));
      begin += size;
    }
  }

  /// Writes `replacement` for the characters of `old`.
  void replace(std::string_view old, std::string_view replacement) {
    size_t old_left = count_characters(old);
    for (size_t begin = 0; begin < replacement.size();) {
      const std::string_view character = replacement.substr(begin, character_length(replacement[begin]));
      begin += character.size();
      if (old_left == 0) {
        insert(character);
      } else {
        take(character);
        --old_left;
      }
    }
    if (old_left > 0) remove(old_left);
  }

 private:
  /// Copies up to `end` from where the next character is to be taken.
  void keep_in_place(size_t end) {
    if (taken_ == end) return;
    out_.text.append(source_.substr(taken_, end - taken_));
    out_.origin.resize(out_.text.size());
    ByteSpan* origin = out_.origin.data() + out_.origin.size() - (end - taken_);
    while (taken_ < end) {
      last_size_ = character_length(source_[taken_]);
      origin = std::fill_n(origin, last_size_, next_span());
      taken_ += last_size_;
    }
    is_last_inserted_ = false;
  }

  void take(std::string_view character) {
    write(character, next_span());
    taken_ = next_span().end;
    is_last_inserted_ = false;
  }

  void insert(std::string_view character) {
    size_t begin = taken_;
    while (begin > 0 && is_continuation(source_[begin - 1])) --begin;
    if (begin > 0) --begin;
    write(character, {static_cast<uint32_t>(begin), static_cast<uint32_t>(taken_)});
    is_last_inserted_ = true;
  }

  void remove(size_t characters) {
    if (out_.text.empty()) return;
    if (is_last_inserted_) {
      const ByteSpan span = next_span();
      std::fill(out_.origin.end() - static_cast<std::ptrdiff_t>(last_size_), out_.origin.end(), span);
      is_last_inserted_ = false;
    }
    for (; characters > 0; --characters) taken_ = next_span().end;
  }

  void write(std::string_view character, ByteSpan span) {
    out_.text.append(character);
    out_.origin.insert(out_.origin.end(), character.size(), span);
    last_size_ = character.size();
  }

  ByteSpan next_span() const {
    return {static_cast<uint32_t>(taken_), static_cast<uint32_t>(taken_ + character_length(source_[taken_]))};
  }

  std::string_view source_;
  NormalizedText& out_;
  size_t taken_ = 0;      // bytes of the source whose characters have been taken or skipped
  size_t last_size_ = 0;  // bytes of the character written last
  bool is_last_inserted_ = false;
};

}  // namespace

Charsmap::Charsmap(std::string_view base64, std::string where) {
  read_trie(decode_base64(base64, where), where);
  check_trie(where);
  std::string character;
  for (char32_t code_point = 0; code_point < 64 * plain_.size(); ++code_point) {
    if (grapheme_class(code_point) != GraphemeClass::kAny) continue;
    character.clear();
    append_utf8(character, code_point);
    if (!find(character)) plain_[code_point / 64] |= uint64_t{1} << (code_point % 64);
  }
}

void Charsmap::read_trie(std::string_view bytes, const std::string& where) {
  const size_t size = bytes.size() < 4 ? 0 : read_u32(bytes, 0) / 4;
  if (size == 0 || size > bytes.size() / 4 - 1) {
    fail(ErrorKind::kModelFile, where, "precompiled_charsmap: {} bytes hold no trie of {} units", bytes.size(), size);
  }
  units_.resize(size);
  for (size_t i = 0; i < size; ++i) units_[i] = read_u32(bytes, 4 + 4 * i);
  replacements_ = bytes.substr(4 + 4 * size);
  if (const auto broken = find_invalid_utf8(replacements_)) {
    fail(ErrorKind::kModelFile, where, "precompiled_charsmap: replacements are not UTF-8 at byte {}", *broken);
  }
}

void Charsmap::check_trie(const std::string& where) const {
  for (size_t i = 0; i < units_.size(); ++i) {
    if (i > 0 && unit_label(units_[i]) > 0xFF) continue;  // a value, never stepped on
    const size_t children = i ^ unit_offset(units_[i]);
    if ((children | 0xFF) >= units_.size()) {
      fail(ErrorKind::kModelFile, where, "precompiled_charsmap: unit {} points outside of the {} units", i,
           units_.size());
    }
    if (!has_value(units_[i])) continue;
    const uint32_t value = unit_value(units_[children]);
    const bool is_inside = value <= replacements_.size();
    if (!is_inside || (value < replacements_.size() && is_continuation(replacements_[value]))) {
      fail(ErrorKind::kModelFile, where, "precompiled_charsmap: unit {} has its replacement at byte {} of {}", i, value,
           replacements_.size());
    }
  }
}

std::optional<std::string_view> Charsmap::find(std::string_view chunk) const {
  uint32_t node = unit_offset(units_[0]);
  for (const char character : chunk) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte == 0) return std::nullopt;  // the reference's trie ends a key at NUL
    node ^= byte;
    const uint32_t unit = units_[node];
    if (unit_label(unit) != byte) return std::nullopt;
    node ^= unit_offset(unit);
    if (has_value(unit)) {
      const std::string_view rest = std::string_view(replacements_).substr(unit_value(units_[node]));
      return rest.substr(0, rest.find('\0'));
    }
  }
  return std::nullopt;
}

size_t Charsmap::skip_plain(std::string_view text, size_t begin) const {
  size_t last = begin;  // where the last character of the run begins
  size_t end = begin;
  while (end < text.size()) {
    size_t next = end;
    if (!is_plain(next_code_point(text, next))) break;
    last = end;
    end = next;
  }
  // A mark that follows joins the cluster of the last character.
  const bool may_be_joined = end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80;
  return may_be_joined ? last : end;
}

void Charsmap::normalize(std::string_view text, NormalizedText& out) const {
  out.text.clear();
  out.origin.clear();
  std::optional<AlignedWriter> writer;  // from the first change on
  size_t kept = 0;                      // written so far, when there is a writer
  const auto replace = [&](size_t begin, size_t end, std::string_view replacement) {
    if (!writer) {
      writer.emplace(text, begin, out);
    } else {
      writer->keep(kept, begin);
    }
    writer->replace(text.substr(begin, end - begin), replacement);
    kept = end;
  };

  GraphemeCursor cursor(text);
  while (cursor.position() < text.size()) {
    const size_t begin = cursor.position();
    const size_t plain_end = skip_plain(text, begin);
    if (plain_end > begin) {
      cursor.move_to(plain_end);
      continue;
    }
    const size_t end = cursor.advance();
    if (end - begin <= kLongestCluster) {
      if (const auto replacement = find(text.substr(begin, end - begin))) {
        replace(begin, end, *replacement);
        continue;
      }
    }
    for (size_t position = begin; position < end;) {
      const size_t next = position + character_length(text[position]);
      if (const auto replacement = find(text.substr(position, next - position))) replace(position, next, *replacement);
      position = next;
    }
  }
  if (!writer) {
    out.text = text;
  } else {
    writer->keep(kept, text.size());
  }
}

}  // namespace jina
