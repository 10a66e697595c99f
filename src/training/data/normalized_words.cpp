#include "training/data/normalized_words.h"

#include <array>

#include "base/rng.h"
#include "text/unicode.h"
#include "training/data/text_table.h"

namespace jina {

namespace {

/// The lower-case letter or digit of each ASCII byte, 0 for all others.
constexpr std::array<char, 128> kAsciiWords = [] {
  std::array<char, 128> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = static_cast<char>(c - 'A' + 'a');
  return table;
}();

/// Appends a character that is not ASCII; returns whether it belongs to the word before it.
void append_wide(std::string_view text, size_t& position, std::string& out, bool& is_gap) {
  const char32_t c = next_code_point(text, position);
  const uint16_t flags = character_flags(c);
  if ((flags & kWord) == 0) {
    is_gap = true;
    return;
  }
  const bool is_alone = (flags & kChinese) != 0;
  if ((is_gap || is_alone) && !out.empty()) out.push_back(' ');
  const CharacterMapping lower = lowercase(c);
  if (lower.empty()) append_utf8(out, c);
  for (const char32_t part : lower) append_utf8(out, part);
  is_gap = is_alone;
}

}  // namespace

std::string normalize_words(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool is_gap = false;
  for (size_t position = 0; position < text.size();) {
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte >= kAsciiWords.size()) {
      append_wide(text, position, out, is_gap);
      continue;
    }
    ++position;
    const char c = kAsciiWords[byte];
    if (c == 0) {
      is_gap = true;
      continue;
    }
    if (is_gap && !out.empty()) out.push_back(' ');
    is_gap = false;
    out.push_back(c);
  }
  return out;
}

std::vector<std::string_view> split_words(std::string_view normalized) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < normalized.size();) {
    const size_t end = std::min(normalized.find(' ', begin), normalized.size());
    words.push_back(normalized.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::vector<uint64_t> hash_word_runs(const std::vector<std::string_view>& words, size_t length) {
  std::vector<uint64_t> runs;
  if (words.size() < length) return runs;
  constexpr uint64_t kFactor = 0x9E3779B97F4A7C15u;  // odd, so that no word's bits are lost
  uint64_t leaving = 1;                              // kFactor^length: the weight of the word that leaves the run
  for (size_t i = 0; i < length; ++i) leaving *= kFactor;
  std::vector<uint64_t> hashes(words.size());
  for (size_t i = 0; i < words.size(); ++i) hashes[i] = hash_text(words[i]);
  runs.reserve(words.size() - length + 1);
  uint64_t run = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    run = run * kFactor + hashes[i];
    if (i >= length) run -= leaving * hashes[i - length];
    if (i + 1 >= length) runs.push_back(mix_bits(run + length));
  }
  return runs;
}

}  // namespace jina
