#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalized_text.h"

namespace jina {

/// The "Precompiled" normaliser of a SentencePiece model, as HF `tokenizers` 0.23.3 applies it: a grapheme cluster of
/// less than six bytes is looked up as a whole, otherwise each of its characters is. Immutable and thread-safe.
///
///     const Charsmap charsmap(normalizer.at("precompiled_charsmap").as_string(), "model/tokenizer.json");
///     NormalizedText normalized;
///     charsmap.normalize("ﬁne", normalized);  // "fine"
class Charsmap {
 public:
  /// `base64` holds: trie size in bytes (u32), double array (u32 each), replacements ended by NUL. Errors name `where`.
  Charsmap(std::string_view base64, std::string where);

  /// Replaces what `out` held. `text` must be valid UTF-8; `out.origin` counts bytes of `text` and shares the
  /// reference's habits: see charsmap.cpp. Text that is left as it was costs a scan and a copy, and gives an empty
  /// `origin`.
  void normalize(std::string_view text, NormalizedText& out) const;

 private:
  void read_trie(std::string_view bytes, const std::string& where);
  void check_trie(const std::string& where) const;
  /// The replacement of the shortest key that `chunk` begins with, as the reference has it (not of the longest).
  std::optional<std::string_view> find(std::string_view chunk) const;
  /// A character that joins no neighbour by itself (marks may join it) and has no replacement of its own.
  bool is_plain(char32_t code_point) const {
    return code_point < 64 * plain_.size() && (plain_[code_point / 64] >> (code_point % 64) & 1) != 0;
  }
  /// End of the run of plain characters from `begin` on that are clusters of their own and so stay as they are.
  size_t skip_plain(std::string_view text, size_t begin) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  std::array<uint64_t, 1024> plain_{};  // bit c: code point c is plain; others of the BMP and all beyond are not
};

}  // namespace jina
