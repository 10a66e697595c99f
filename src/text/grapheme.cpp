#include "text/grapheme.h"

#include <array>

#include "base/utf8.h"

namespace jina {
namespace {

#include "text/grapheme_table.inc"

using enum GraphemeClass;

template <typename... Classes>
constexpr uint32_t set_of(Classes... classes) {
  return (0u | ... | (1u << static_cast<uint32_t>(classes)));
}

constexpr bool contains(uint32_t set, GraphemeClass one) { return (set >> static_cast<uint32_t>(one) & 1) != 0; }

constexpr uint32_t kBreakers = set_of(kCr, kLf, kControl);
constexpr uint32_t kExtenders = set_of(kLinker, kZwj, kExtend, kExtendNotIndic, kSpacingMark);

/// The classes that never begin a cluster after `before` (GB3 to GB9b); GB9c, GB11 and GB12 need more than one
/// character.
constexpr uint32_t joined_after(GraphemeClass before) {
  if (before == kCr) return set_of(kLf);
  if (before == kLf || before == kControl) return 0;
  if (before == kPrepend) return ~kBreakers;
  if (before == kL) return kExtenders | set_of(kL, kV, kLv, kLvt);
  if (before == kLv || before == kV) return kExtenders | set_of(kV, kT);
  if (before == kLvt || before == kT) return kExtenders | set_of(kT);
  return kExtenders;
}

constexpr auto kJoinedAfter = [] {
  std::array<uint32_t, 18> sets{};
  for (size_t i = 0; i < sets.size(); ++i) sets[i] = joined_after(static_cast<GraphemeClass>(i));
  return sets;
}();

/// What the rules of more than one character must remember of the current cluster. They never look beyond its start:
/// everything between an Indic consonant, an emoji or a first regional indicator and its partner joins anyway.
class ClusterMemory {
 public:
  void add(GraphemeClass one) {
    if (one == kConsonant) {
      conjunct_ = Conjunct::kConsonant;
    } else if (one == kLinker) {
      if (conjunct_ == Conjunct::kConsonant) conjunct_ = Conjunct::kLinked;
    } else if (one != kExtend && one != kZwj) {
      conjunct_ = Conjunct::kNone;
    }
    if (one == kPictographic) {
      emoji_ = Emoji::kPictographic;
    } else if (one == kZwj) {
      emoji_ = emoji_ == Emoji::kPictographic ? Emoji::kJoiner : Emoji::kNone;
    } else if (one != kExtend && one != kExtendNotIndic && one != kLinker) {
      emoji_ = Emoji::kNone;
    } else if (emoji_ == Emoji::kJoiner) {
      emoji_ = Emoji::kNone;
    }
    is_flag_open_ = one == kRegional && !is_flag_open_;
  }

  bool joins(GraphemeClass next) const {
    if (next == kConsonant) return conjunct_ == Conjunct::kLinked;  // GB9c
    if (next == kPictographic) return emoji_ == Emoji::kJoiner;     // GB11
    return next == kRegional && is_flag_open_;                      // GB12, GB13
  }

 private:
  enum class Conjunct : uint8_t { kNone, kConsonant, kLinked };
  enum class Emoji : uint8_t { kNone, kPictographic, kJoiner };
  Conjunct conjunct_ = Conjunct::kNone;
  Emoji emoji_ = Emoji::kNone;
  bool is_flag_open_ = false;
};

inline GraphemeClass class_of(char32_t code_point) {
  return static_cast<GraphemeClass>(kClassInBlock[kBlockOfCodePoint[code_point >> 7] << 7 | (code_point & 127)]);
}

}  // namespace

GraphemeClass grapheme_class(char32_t code_point) { return code_point < 0x110000 ? class_of(code_point) : kAny; }

void GraphemeCursor::move_to(size_t boundary) {
  position_ = after_first_ = boundary;
  if (boundary < text_.size()) first_ = class_of(next_code_point(text_, after_first_));
}

size_t GraphemeCursor::advance() {
  GraphemeClass before = first_;
  ClusterMemory memory;
  memory.add(before);
  size_t end = after_first_;
  while (end < text_.size()) {
    size_t after_next = end;
    const GraphemeClass next = class_of(next_code_point(text_, after_next));
    const bool is_joined = contains(kJoinedAfter[static_cast<size_t>(before)], next) || memory.joins(next);
    if (!is_joined) {
      position_ = end;
      after_first_ = after_next;
      first_ = next;
      return end;
    }
    memory.add(next);
    before = next;
    end = after_next;
  }
  position_ = after_first_ = end;
  return end;
}

}  // namespace jina
