#include "text/byte_level.h"

#include <algorithm>

#include "text/split.h"
#include "text/split_patterns.h"
#include "text/unicode.h"

namespace jina {

namespace {

/// Cuts each piece into the matches of a pattern.
class PatternSplit : public PreTokenizer {
 public:
  explicit PatternSplit(SplitPattern pattern) : pattern_(pattern) {}

  void apply(PreTokenizedText& text) const override {
    std::vector<ByteSpan> pieces;
    pieces.reserve(text.normalized.text.size() / 4 + 4);
    for (const ByteSpan& piece : text.pieces) {
      const size_t first = pieces.size();
      const std::string_view view = std::string_view(text.normalized.text).substr(piece.begin, piece.end - piece.begin);
      split_by_pattern(pattern_, view, pieces);
      if (piece.begin == 0) continue;
      for (size_t i = first; i < pieces.size(); ++i) {
        pieces[i] = {pieces[i].begin + piece.begin, pieces[i].end + piece.begin};
      }
    }
    text.pieces = std::move(pieces);
  }

 private:
  SplitPattern pattern_;
};

/// Puts a blank before each piece that does not begin with one; it shares the origin of the first character.
void add_prefix_blanks(PreTokenizedText& text) {
  const auto has_blank = [&](const ByteSpan& piece) { return text.normalized.text[piece.begin] == ' '; };
  if (std::all_of(text.pieces.begin(), text.pieces.end(), has_blank)) return;
  const std::string& source = text.normalized.text;
  const std::vector<ByteSpan>& origin = text.normalized.origin;
  NormalizedText rewritten;
  rewritten.text.reserve(source.size() + text.pieces.size());
  rewritten.origin.reserve(source.size() + text.pieces.size());
  for (ByteSpan& piece : text.pieces) {
    const auto begin = static_cast<uint32_t>(rewritten.text.size());
    if (!has_blank(piece)) rewritten.text.push_back(' ');
    rewritten.text.append(source, piece.begin, piece.end - piece.begin);
    for (uint32_t i = piece.begin; i < piece.end;) {
      const auto length = static_cast<uint32_t>(utf8_length(source[i]));
      const ByteSpan from = origin.empty() ? ByteSpan{i, i + length} : origin[i];
      const bool is_prefixed = i == piece.begin && source[i] != ' ';
      rewritten.origin.insert(rewritten.origin.end(), length + (is_prefixed ? 1 : 0), from);
      i += length;
    }
    piece = {begin, static_cast<uint32_t>(rewritten.text.size())};
  }
  text.normalized = std::move(rewritten);
}

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool has_prefix, bool is_splitting) : has_prefix_(has_prefix), is_splitting_(is_splitting) {}

  void apply(PreTokenizedText& text) const override {
    if (has_prefix_) add_prefix_blanks(text);
    if (is_splitting_) split_.apply(text);
  }
  bool is_byte_level() const override { return true; }

 private:
  bool has_prefix_;
  bool is_splitting_;
  PatternSplit split_{SplitPattern::kGpt2};
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const Json& json) {
  json.at("trim_offsets").as_bool();  // means nothing here, but a file without it is broken
  return std::make_unique<ByteLevel>(json.at("add_prefix_space").as_bool(), json.bool_or("use_regex", true));
}

std::unique_ptr<PreTokenizer> make_pattern_split(const Json& json, std::string_view regex) {
  const auto pattern = find_split_pattern(regex);
  if (!pattern) {
    fail(json.document().kind(), json.document().where(), "pre-tokenizer Split: unknown regular expression '{}'",
         regex);
  }
  // The known patterns leave no gaps, so that keeping the matches only ("Removed", inverted) is the same as isolating.
  const SplitBehavior behavior = parse_split_behavior(json.at("behavior"));
  const bool is_inverted = json.at("invert").as_bool();
  const bool is_isolating =
      behavior == SplitBehavior::kIsolated || (behavior == SplitBehavior::kRemoved && is_inverted);
  if (!is_isolating) json.at("behavior").reject("\"Isolated\" for this pattern");
  return std::make_unique<PatternSplit>(*pattern);
}

}  // namespace jina
