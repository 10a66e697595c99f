#include "text/split_patterns.h"

#include <array>

#include "base/utf8.h"
#include "text/split_class_table.h"

namespace jina {

namespace {

enum class CharClass : uint8_t { kOther, kLetter, kNumber, kSpace, kNonAscii };

constexpr CharClass class_of(char32_t point) {
  if (point >= kSplitClassEnd) return CharClass::kOther;
  const uint64_t word = kSplitClassBlocks[kSplitClassIndex[point / 256] * 8 + point % 256 / 32];
  return static_cast<CharClass>(word >> (point % 32 * 2) & 3);
}

constexpr std::array<CharClass, 256> make_byte_classes() {
  std::array<CharClass, 256> classes{};
  for (int byte = 0; byte < 256; ++byte) classes[byte] = byte < 128 ? class_of(byte) : CharClass::kNonAscii;
  return classes;
}

constexpr std::array<CharClass, 256> kByteClasses = make_byte_classes();

/// A character of the text and where it ends.
struct Char {
  CharClass type;
  size_t end;
};

/// Reads text forward; every function takes a byte position and returns one.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t size() const { return text_.size(); }
  /// The byte at `position`, or NUL at the end: no pattern asks for NUL.
  char byte(size_t position) const { return position < text_.size() ? text_[position] : '\0'; }

  /// `position` must be before the end.
  Char at(size_t position) const {
    const CharClass type = kByteClasses[static_cast<unsigned char>(text_[position])];
    if (type != CharClass::kNonAscii) return {type, position + 1};
    const char32_t point = next_code_point(text_, position);
    return {class_of(point), position};
  }
  bool is(CharClass type, size_t position) const { return position < text_.size() && at(position).type == type; }

  /// End of the run of characters of one class.
  size_t skip(CharClass type, size_t position) const {
    while (position < text_.size()) {
      const CharClass byte_class = kByteClasses[static_cast<unsigned char>(text_[position])];
      if (byte_class == type) {
        ++position;
        continue;
      }
      if (byte_class != CharClass::kNonAscii) break;
      size_t end = position;
      if (class_of(next_code_point(text_, end)) != type) break;
      position = end;
    }
    return position;
  }
  size_t skip_newlines(size_t position) const {
    while (byte(position) == '\r' || byte(position) == '\n') ++position;
    return position;
  }

  /// End of `\s+(?!\S)|\s+`: a run of blanks leaves its last one to what follows, unless it is the only one.
  size_t skip_blanks(size_t position) const {
    size_t last = position;
    size_t end = position;
    while (is(CharClass::kSpace, end)) {
      last = end;
      end = at(end).end;
    }
    return end == text_.size() || last == position ? end : last;
  }

  /// End of `\s*[\r\n]+`: just behind the last line break of a run of blanks; `position` when it has none.
  size_t skip_broken_lines(size_t position) const {
    size_t broken = position;
    while (is(CharClass::kSpace, position)) {
      const bool is_break = text_[position] == '\r' || text_[position] == '\n';
      position = at(position).end;
      if (is_break) broken = position;
    }
    return broken;
  }

  /// End of 's|'t|'re|'ve|'m|'ll|'d at an apostrophe, `position` when none is there.
  template <bool kIgnoreCase>
  size_t skip_contraction(size_t position) const {
    const char first = letter<kIgnoreCase>(position + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return position + 2;
    const char second = letter<kIgnoreCase>(position + 2);
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) {
      return position + 3;
    }
    // U+017F, the long s, is the one other character whose case folding lies in these letters.
    if (kIgnoreCase && text_.substr(position + 1, 2) == "\u017F") return position + 3;
    return position;
  }

 private:
  template <bool kIgnoreCase>
  char letter(size_t position) const {
    const char value = byte(position);
    return kIgnoreCase && value >= 'A' && value <= 'Z' ? static_cast<char>(value + ('a' - 'A')) : value;
  }

  std::string_view text_;
};

size_t gpt2_end(const Scanner& scan, size_t begin) {
  const Char first = scan.at(begin);
  if (scan.byte(begin) == '\'') {
    const size_t end = scan.skip_contraction<false>(begin);
    if (end != begin) return end;
  }
  if (first.type != CharClass::kSpace) return scan.skip(first.type, first.end);
  if (scan.byte(begin) == ' ' && first.end < scan.size()) {
    const Char second = scan.at(first.end);
    if (second.type != CharClass::kSpace) return scan.skip(second.type, second.end);
  }
  return scan.skip_blanks(begin);
}

template <int kDigits>
size_t qwen2_end(const Scanner& scan, size_t begin) {
  const Char first = scan.at(begin);
  if (first.type == CharClass::kLetter) return scan.skip(CharClass::kLetter, first.end);
  if (first.type == CharClass::kNumber) {
    size_t end = first.end;
    for (int count = 1; count < kDigits && scan.is(CharClass::kNumber, end); ++count) end = scan.at(end).end;
    return end;
  }
  const char byte = scan.byte(begin);
  if (byte == '\'') {
    const size_t end = scan.skip_contraction<true>(begin);
    if (end != begin) return end;
  }
  if (byte != '\r' && byte != '\n' && scan.is(CharClass::kLetter, first.end)) {
    return scan.skip(CharClass::kLetter, first.end);
  }
  if (first.type == CharClass::kOther || (byte == ' ' && scan.is(CharClass::kOther, first.end))) {
    return scan.skip_newlines(scan.skip(CharClass::kOther, first.end));
  }
  const size_t broken = scan.skip_broken_lines(begin);
  return broken != begin ? broken : scan.skip_blanks(begin);
}

template <typename FindEnd>
void split(std::string_view text, std::vector<ByteSpan>& out, FindEnd find_end) {
  const Scanner scan(text);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = find_end(scan, begin);
    out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    begin = end;
  }
}

struct PatternRow {
  std::string_view regex;
  SplitPattern pattern;
};

constexpr PatternRow kPatterns[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitPattern::kGpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
     R"(\s+(?!\S)|\s+)",
     SplitPattern::kQwen2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
     R"(\s+(?!\S)|\s+)",
     SplitPattern::kCl100k},
};

}  // namespace

std::optional<SplitPattern> find_split_pattern(std::string_view regex) {
  for (const PatternRow& row : kPatterns) {
    if (row.regex == regex) return row.pattern;
  }
  return std::nullopt;
}

void split_by_pattern(SplitPattern pattern, std::string_view text, std::vector<ByteSpan>& out) {
  switch (pattern) {
    case SplitPattern::kGpt2: return split_gpt2(text, out);
    case SplitPattern::kQwen2: return split_qwen2(text, out);
    case SplitPattern::kCl100k: return split(text, out, qwen2_end<3>);
  }
}

void split_gpt2(std::string_view text, std::vector<ByteSpan>& out) { split(text, out, gpt2_end); }

void split_qwen2(std::string_view text, std::vector<ByteSpan>& out) { split(text, out, qwen2_end<1>); }

}  // namespace jina
