#include "text/text_rewriter.h"

#include <algorithm>

#include "text/unicode.h"

namespace jina {

namespace {

/// The bytes of the character that byte `byte` belongs to.
ByteSpan character_around(std::string_view text, size_t byte) {
  size_t begin = byte;
  while (is_utf8_continuation(text[begin])) --begin;
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + utf8_length(text[begin]))};
}

/// Room is reserved, so this beats vector::insert for the few bytes of a character.
void append_repeated(std::vector<ByteSpan>& spans, size_t count, const ByteSpan& span) {
  for (size_t i = 0; i < count; ++i) spans.push_back(span);
}

}  // namespace

TextRewriter::TextRewriter(NormalizedText& text)
    : target_(text),
      source_(std::move(text.text)),
      source_origin_(std::move(text.origin)),
      is_identity_(source_origin_.empty()) {
  text_.reserve(source_.size() + source_.size() / 8 + 16);
}

ByteSpan TextRewriter::origin_at(size_t byte) const {
  return source_origin_.empty() ? character_around(source_, byte) : source_origin_[byte];
}

void TextRewriter::append_origin(size_t begin, size_t end) {
  if (!source_origin_.empty()) {
    origin_.insert(origin_.end(), source_origin_.begin() + static_cast<ptrdiff_t>(begin),
                   source_origin_.begin() + static_cast<ptrdiff_t>(end));
    return;
  }
  for (size_t i = begin; i < end;) {
    const size_t length = utf8_length(source_[i]);
    const ByteSpan span{static_cast<uint32_t>(i), static_cast<uint32_t>(i + length)};
    append_repeated(origin_, length, span);
    i += length;
  }
}

void TextRewriter::materialize() {
  is_identity_ = false;
  origin_.reserve(source_.size() + source_.size() / 8 + 16);
  append_origin(0, position_);
}

void TextRewriter::keep(size_t bytes) {
  if (!is_identity_) append_origin(position_, position_ + bytes);
  text_.append(source_, position_, bytes);
  position_ += bytes;
}

char* TextRewriter::replace_bytes(size_t bytes) {
  const size_t at = text_.size();
  keep(bytes);
  return text_.data() + at;
}

void TextRewriter::drop(size_t bytes) {
  if (is_identity_) materialize();
  position_ += bytes;
}

void TextRewriter::replace_character(std::string_view text) {
  const size_t old_length = utf8_length(source_[position_]);
  if (is_identity_ && text.size() != old_length) materialize();
  if (!is_identity_) append_repeated(origin_, text.size(), origin_at(position_));
  text_.append(text);
  position_ += old_length;
}

void TextRewriter::put(char32_t c, int change) {
  const size_t text_size = text_.size();
  append_utf8(text_, c);
  const size_t length = text_.size() - text_size;
  const bool is_new = change > 0 || at_end();
  if (is_identity_ && (is_new || change < 0 || length != utf8_length(source_[position_]))) materialize();
  if (!is_identity_) {
    const ByteSpan from = !is_new ? origin_at(position_) : position_ == 0 ? ByteSpan{} : origin_at(position_ - 1);
    append_repeated(origin_, length, from);
  }
  if (is_new) return;
  for (int i = change; i <= 0 && !at_end(); ++i) position_ += utf8_length(source_[position_]);
}

void TextRewriter::finish() {
  if (is_identity_ && !at_end()) materialize();
  target_.text = std::move(text_);
  target_.origin = std::move(origin_);
}

void TextRewriter::cancel() {
  target_.text = std::move(source_);
  target_.origin = std::move(source_origin_);
}

std::vector<ByteSpan> compose_origins(const std::vector<ByteSpan>& outer, std::vector<ByteSpan> inner) {
  if (outer.empty()) return inner;
  if (inner.empty()) return outer;
  for (ByteSpan& span : inner) {
    if (span.begin < span.end) span = {outer[span.begin].begin, outer[span.end - 1].end};
  }
  return inner;
}

}  // namespace jina
