#include "training/data/encode_text.h"

#include <algorithm>

#include "text/unicode.h"

namespace jina {

namespace {

constexpr size_t kBytesPerToken = 16;  // far above what tokens of running text take (about 4)
constexpr size_t kMargin = 256;        // bytes between the last token that is kept and the cut

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// The greatest end of a word at or before `most`; 0 when there is none.
size_t find_cut(std::string_view text, size_t most) {
  for (size_t i = std::min(most, text.size() - 1); i > 0; --i) {
    if (is_blank(text[i]) && !is_blank(text[i - 1])) return i;
  }
  return 0;
}

/// Whether the tokens of the beginning of a text would be the same for any text that goes on behind the cut. That holds
/// when words are encoded each for itself, which they are when every word between blanks starts a piece, and when the
/// cut is some words behind the last token.
bool is_settled(std::string_view head, const Encoding& encoding, int64_t max_length) {
  if (static_cast<int64_t>(encoding.ids.size()) < max_length) return false;
  size_t end = 0;
  int64_t starts = 0;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.special[i] != 0) continue;
    end = std::max(end, size_t{encoding.offsets[i].end});
    starts += encoding.word_starts[i];
  }
  if (end + kMargin > head.size()) return false;
  int64_t words = 0;
  for (size_t i = 0; i < end; ++i) {
    if (!is_blank(head[i]) && (i == 0 || is_blank(head[i - 1]))) ++words;
  }
  const std::string_view rest = head.substr(end);
  return starts >= words && std::any_of(rest.begin(), rest.end(), is_blank);
}

bool is_unspaced(char32_t c) {
  return (character_flags(c) & kChinese) != 0 || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x0E00 && c <= 0x0EFF) ||
         (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF);
}

void split_unspaced_words(std::string_view text, Encoding& encoding) {
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const auto [begin, end] = encoding.offsets[i];
    if (encoding.special[i] != 0 || begin == end) continue;
    if (i > 0 && encoding.special[i - 1] == 0) {
      // Tokens that are bytes of one character all have its range: only the first of them starts a word. A blank in
      // front of a word, when it is a token of its own, is a part of it; its range is trimmed to nothing.
      const ByteSpan before = encoding.offsets[i - 1];
      if (before.end > begin || before.begin == before.end) continue;
    }
    size_t position = begin;
    if (is_unspaced(next_code_point(text, position))) encoding.word_starts[i] = 1;
  }
}

}  // namespace

Encoding encode_start(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  if (options.max_length > 0) {
    size_t most = static_cast<size_t>(options.max_length) * kBytesPerToken + kMargin;
    for (; most < text.size(); most *= 4) {
      const std::string_view head = text.substr(0, find_cut(text, most));
      if (head.empty()) break;
      Encoding encoding = tokenizer.encode(head, options);
      if (!is_settled(head, encoding, options.max_length)) continue;
      split_unspaced_words(head, encoding);
      return encoding;
    }
  }
  Encoding encoding = tokenizer.encode(text, options);
  split_unspaced_words(text, encoding);
  return encoding;
}

}  // namespace jina
