#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jina {

/// Grapheme_Cluster_Break and Indic_Conjunct_Break of Unicode 17.0 as one property. InCB=Extend and InCB=Linker occur
/// only within GCB=Extend and ZWJ, so every pair of values has one name. The order is that of grapheme_table.inc.
enum class GraphemeClass : uint8_t {
  kAny,
  kCr,
  kLf,
  kControl,
  kLinker,  ///< GCB=Extend, InCB=Linker
  kZwj,
  kExtend,          ///< GCB=Extend, InCB=Extend
  kExtendNotIndic,  ///< GCB=Extend, InCB=None (U+200C)
  kSpacingMark,
  kPrepend,
  kConsonant,  ///< GCB=Other, InCB=Consonant
  kPictographic,
  kRegional,
  kL,
  kV,
  kT,
  kLv,
  kLvt,
};

GraphemeClass grapheme_class(char32_t code_point);

/// Walks the extended grapheme clusters of valid UTF-8 (UAX #29, Unicode 17.0), as `graphemes(true)` of the Rust crate
/// unicode-segmentation 1.13.3.
///
///     GraphemeCursor cursor(text);
///     while (cursor.position() < text.size()) { const size_t end = cursor.advance(); … }
class GraphemeCursor {
 public:
  explicit GraphemeCursor(std::string_view text) : text_(text) { move_to(0); }

  size_t position() const { return position_; }
  /// Moves past one cluster and returns its end; `position()` must be before the end of the text.
  size_t advance();
  /// Goes to a place that is known to be a boundary.
  void move_to(size_t boundary);

 private:
  std::string_view text_;
  size_t position_ = 0;
  size_t after_first_ = 0;                     // end of the character at position_
  GraphemeClass first_ = GraphemeClass::kAny;  // class of the character at position_
};

}  // namespace jina
