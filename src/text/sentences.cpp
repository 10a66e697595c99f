#include "text/sentences.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace jina {

namespace {

constexpr std::array kTerminators = {U'.', U'!', U'?', U'…', U'。', U'！', U'？', U'．', U'।', U'۔', U'؟'};
constexpr std::array kClosers = {U'"', U'\'', U')', U']', U'}', U'”', U'’', U'»', U'」', U'』', U'）', U'】'};

bool contains(const auto& set, char32_t c) { return std::ranges::find(set, c) != set.end(); }

bool is_space(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000; }

/// Full-width terminators end a sentence even when no space follows.
bool is_wide_terminator(char32_t c) { return c == U'。' || c == U'！' || c == U'？' || c == U'।'; }

/// End of the sentence whose terminator ends at `position`: behind further terminators and closing marks.
size_t end_of_sentence(std::string_view text, size_t position) {
  while (position < text.size()) {
    size_t next = position;
    const char32_t c = next_code_point(text, next);
    if (!contains(kTerminators, c) && !contains(kClosers, c)) break;
    position = next;
  }
  return position;
}

bool is_space_at(std::string_view text, size_t position) {
  return position >= text.size() || is_space(next_code_point(text, position));
}

/// True when the white space at `position` holds an empty line.
bool is_blank_line(std::string_view text, size_t position) {
  int breaks = 0;
  while (position < text.size()) {
    const char32_t c = next_code_point(text, position);
    if (!is_space(c)) return false;
    if (c == '\n' && ++breaks == 2) return true;
  }
  return false;
}

}  // namespace

std::vector<ByteSpan> split_sentences(std::string_view text) {
  std::vector<ByteSpan> sentences;
  size_t begin = 0;
  bool has_content = false;  // something other than white space since `begin`
  const auto cut = [&](size_t end) {
    sentences.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    begin = end;
    has_content = false;
  };
  for (size_t position = 0; position < text.size();) {
    const size_t here = position;
    const char32_t c = next_code_point(text, position);
    if (contains(kTerminators, c)) {
      has_content = true;
      position = end_of_sentence(text, position);
      if (is_wide_terminator(c) || is_space_at(text, position)) cut(position);
    } else if (!is_space(c)) {
      has_content = true;
    } else if (c == '\n' && has_content && is_blank_line(text, here)) {
      cut(here);
    }
  }
  if (begin < text.size()) {
    if (has_content || sentences.empty()) {
      cut(text.size());
    } else {
      sentences.back().end = static_cast<uint32_t>(text.size());  // trailing white space
    }
  }
  return sentences;
}

}  // namespace jina
