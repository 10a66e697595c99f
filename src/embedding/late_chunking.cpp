#include "embedding/late_chunking.h"

#include <algorithm>

#include "base/error.h"
#include "text/sentences.h"

namespace jina {

namespace {

/// Where each ordinary token stands in the text: its last byte. Tokens of prompt and template get none.
struct TokenPlace {
  int64_t token;
  size_t byte;
};

std::vector<TokenPlace> text_tokens(const DocumentTokens& document) {
  std::vector<TokenPlace> places;
  const Encoding& encoding = document.encoding;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const ByteSpan span = encoding.offsets[i];
    const size_t last = span.end > span.begin ? span.end - 1 : span.begin;
    if (encoding.special[i] != 0 || last < document.prompt_bytes) continue;
    places.push_back({static_cast<int64_t>(i), last - document.prompt_bytes});
  }
  return places;
}

void check_span(const TextSpan& span, size_t index, size_t text_bytes) {
  if (span.begin < span.end && span.end <= text_bytes) return;
  fail(ErrorKind::kInvalidArgument, fmt::format("span {}", index),
       "[{}, {}]: expected start < end <= {} (bytes of the text)", span.begin, span.end, text_bytes);
}

}  // namespace

std::vector<TokenSpan> chunk_token_spans(const DocumentTokens& document, std::span<const TextSpan> spans,
                                         size_t text_bytes) {
  const std::vector<TokenPlace> places = text_tokens(document);
  const auto first_from = [&](size_t byte) { return std::ranges::lower_bound(places, byte, {}, &TokenPlace::byte); };
  std::vector<TokenSpan> chunks;
  size_t first = 0;
  size_t last = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    check_span(spans[i], i, text_bytes);
    const auto begin = first_from(spans[i].begin);
    const auto end = first_from(spans[i].end);
    if (begin == end) {
      fail(ErrorKind::kInvalidArgument, fmt::format("span {}", i), "[{}, {}]: no token of the text ends in it",
           spans[i].begin, spans[i].end);
    }
    chunks.push_back({begin->token, std::prev(end)->token + 1});
    if (spans[i].begin < spans[first].begin) first = i;
    if (spans[i].end > spans[last].end) last = i;
  }
  if (chunks.empty()) return chunks;
  chunks[first].begin = 0;
  chunks[last].end = static_cast<int64_t>(document.encoding.ids.size());
  return chunks;
}

std::vector<TextSpan> chunks_of_tokens(const DocumentTokens& document, int64_t count, size_t text_bytes) {
  std::vector<TextSpan> chunks;
  const std::vector<TokenPlace> places = text_tokens(document);
  size_t begin = 0;
  for (size_t i = static_cast<size_t>(count); i < places.size(); i += static_cast<size_t>(count)) {
    const size_t end = places[i - 1].byte + 1;
    if (places[i].byte < end) continue;  // one character in several tokens: it stays whole
    chunks.push_back({begin, end});
    begin = end;
  }
  if (begin < text_bytes) chunks.push_back({begin, text_bytes});
  return chunks;
}

std::vector<TextSpan> chunks_of_sentences(std::string_view text, int64_t count) {
  std::vector<TextSpan> chunks;
  const std::vector<ByteSpan> sentences = split_sentences(text);
  for (size_t i = 0; i < sentences.size(); i += static_cast<size_t>(count)) {
    const size_t last = std::min(i + static_cast<size_t>(count), sentences.size()) - 1;
    chunks.push_back({sentences[i].begin, sentences[last].end});
  }
  return chunks;
}

std::vector<Window> plan_windows(int64_t tokens, int64_t longest, int64_t overlap) {
  if (tokens <= longest) return {{{0, tokens}, 0}};
  JINA_CHECK(overlap < longest);
  std::vector<Window> windows;
  int64_t covered = 0;
  for (int64_t begin = 0; covered < tokens; begin += longest - overlap) {
    const int64_t end = std::min(begin + longest, tokens);
    windows.push_back({{begin, end}, covered});
    covered = end;
  }
  return windows;
}

}  // namespace jina
