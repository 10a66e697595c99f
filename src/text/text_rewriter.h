#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/normalized_text.h"

namespace jina {

/// Rewrites a NormalizedText from left to right and keeps track of where each new byte comes from. While every
/// character stays at its place the origin is left empty, which costs nothing.
///
///     TextRewriter rewriter(text);
///     while (!rewriter.at_end()) rewriter.put(lower(rewriter.peek()), 0);
///     rewriter.finish();
class TextRewriter {
 public:
  explicit TextRewriter(NormalizedText& text);

  std::string_view source() const { return source_; }
  size_t position() const { return position_; }
  bool at_end() const { return position_ >= source_.size(); }

  /// Keeps the next `bytes` bytes (whole characters) as they are.
  void keep(size_t bytes);
  /// As `keep`, with the same number of other bytes in their place; returned for the caller to fill.
  char* replace_bytes(size_t bytes);
  /// Removes the next `bytes` bytes (whole characters).
  void drop(size_t bytes);
  /// Puts `text` in place of the next character; all of it comes from that character.
  void replace_character(std::string_view text);
  /// One step of HF's NormalizedString::transform. change 0: `c` replaces the next character; > 0: `c` is added and
  /// shares the origin of the character before; < 0: replaces the next character and removes -change more after it.
  void put(char32_t c, int change);

  /// Gives the new text to the NormalizedText; what was not reached is dropped.
  void finish();
  /// Gives the old text back, as if nothing had been done.
  void cancel();

 private:
  ByteSpan origin_at(size_t byte) const;
  void materialize();
  void append_origin(size_t begin, size_t end);

  NormalizedText& target_;
  std::string source_;
  std::vector<ByteSpan> source_origin_;
  size_t position_ = 0;  // in source_
  std::string text_;
  std::vector<ByteSpan> origin_;
  bool is_identity_;
};

/// `inner` was made from the text whose own origin is `outer`; returns the origin of `inner` in the first text.
std::vector<ByteSpan> compose_origins(const std::vector<ByteSpan>& outer, std::vector<ByteSpan> inner);

}  // namespace jina
