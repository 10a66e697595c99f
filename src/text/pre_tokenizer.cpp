#include "text/pre_tokenizer.h"

#include <array>

#include "text/byte_level.h"
#include "text/metaspace.h"
#include "text/split.h"
#include "text/unicode.h"

namespace jina {

namespace {

/// What splitting into words asks of each ASCII character: 0 part of a word, else the flags below.
std::array<uint8_t, 128> ascii_flags(uint8_t wanted) {
  std::array<uint8_t, 128> flags{};
  for (unsigned c = 0; c < flags.size(); ++c) flags[c] = static_cast<uint8_t>(character_flags(c) & wanted);
  return flags;
}

/// Cuts at white space, which is removed, and around each character with one of the `isolated` flags.
class WordSplit : public PreTokenizer {
 public:
  explicit WordSplit(uint8_t isolated)
      : wanted_(static_cast<uint8_t>(isolated | kWhitespace)), ascii_(ascii_flags(wanted_)) {}

  void apply(PreTokenizedText& text) const override {
    std::vector<ByteSpan> pieces;
    pieces.reserve(text.normalized.text.size() / 5 + 4);
    for (const ByteSpan& piece : text.pieces) cut(text.normalized.text, piece, pieces);
    text.pieces = std::move(pieces);
  }

 private:
  void cut(std::string_view text, const ByteSpan& piece, std::vector<ByteSpan>& pieces) const {
    uint32_t word = piece.begin;
    for (size_t position = piece.begin; position < piece.end;) {
      const auto begin = static_cast<uint32_t>(position);
      const auto lead = static_cast<unsigned char>(text[position]);
      const uint8_t flags = lead < 0x80
                                ? (++position, ascii_[lead])
                                : static_cast<uint8_t>(character_flags(next_code_point(text, position)) & wanted_);
      if (flags == 0) continue;
      if (word < begin) pieces.push_back({word, begin});
      word = static_cast<uint32_t>(position);
      if ((flags & kWhitespace) == 0) pieces.push_back({begin, word});
    }
    if (word < piece.end) pieces.push_back({word, piece.end});
  }

  uint8_t wanted_;
  std::array<uint8_t, 128> ascii_;
};

/// HF's Whitespace: the matches of \w+|[^\w\s]+.
class Whitespace : public PreTokenizer {
 public:
  void apply(PreTokenizedText& text) const override {
    std::vector<ByteSpan> pieces;
    for (const ByteSpan& piece : text.pieces) {
      uint32_t begin = piece.begin;
      unsigned kind = kWhitespace;  // of the run that begins at `begin`
      for (size_t position = piece.begin; position < piece.end;) {
        const auto at = static_cast<uint32_t>(position);
        const unsigned next = character_flags(next_code_point(text.normalized.text, position)) & (kWhitespace | kWord);
        if (next == kind) continue;
        if (kind != kWhitespace) pieces.push_back({begin, at});
        begin = at;
        kind = next;
      }
      if (kind != kWhitespace && begin < piece.end) pieces.push_back({begin, piece.end});
    }
    text.pieces = std::move(pieces);
  }
};

/// Splits at single characters with a flag.
class CharacterSplit : public PreTokenizer {
 public:
  CharacterSplit(uint8_t flag, SplitBehavior behavior) : flag_(flag), behavior_(behavior) {}

  void apply(PreTokenizedText& text) const override {
    std::vector<ByteSpan> pieces;
    std::vector<SplitMatch> matches;
    for (const ByteSpan& piece : text.pieces) {
      matches.clear();
      uint32_t gap = piece.begin;
      for (size_t position = piece.begin; position < piece.end;) {
        const auto begin = static_cast<uint32_t>(position);
        if ((character_flags(next_code_point(text.normalized.text, position)) & flag_) == 0) continue;
        if (gap < begin) matches.push_back({{gap, begin}, false});
        gap = static_cast<uint32_t>(position);
        matches.push_back({{begin, gap}, true});
      }
      if (gap < piece.end) matches.push_back({{gap, piece.end}, false});
      append_split(matches, behavior_, pieces);
    }
    text.pieces = std::move(pieces);
  }

 private:
  uint8_t flag_;
  SplitBehavior behavior_;
};

class LiteralSplit : public PreTokenizer {
 public:
  LiteralSplit(std::string literal, SplitBehavior behavior, bool is_inverted)
      : literal_(std::move(literal)), behavior_(behavior), is_inverted_(is_inverted) {}

  void apply(PreTokenizedText& text) const override {
    std::vector<ByteSpan> pieces;
    std::vector<SplitMatch> matches;
    for (const ByteSpan& piece : text.pieces) {
      matches.clear();
      const std::string_view part = std::string_view(text.normalized.text).substr(0, piece.end);
      for (uint32_t gap = piece.begin; gap < piece.end;) {
        const size_t found = part.find(literal_, gap);
        const uint32_t begin = found == std::string_view::npos ? piece.end : static_cast<uint32_t>(found);
        if (gap < begin) matches.push_back({{gap, begin}, is_inverted_});
        if (begin == piece.end) break;
        gap = begin + static_cast<uint32_t>(literal_.size());
        matches.push_back({{begin, gap}, !is_inverted_});
      }
      append_split(matches, behavior_, pieces);
    }
    text.pieces = std::move(pieces);
  }

 private:
  std::string literal_;
  SplitBehavior behavior_;
  bool is_inverted_;
};

class Sequence : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void apply(PreTokenizedText& text) const override {
    for (const auto& step : steps_) step->apply(text);
  }
  bool is_byte_level() const override {
    for (const auto& step : steps_) {
      if (step->is_byte_level()) return true;
    }
    return false;
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

using Made = std::unique_ptr<PreTokenizer>;

Made make_sequence(const Json& json) {
  std::vector<Made> steps;
  for (const Json& step : json.at("pretokenizers").as_array()) {
    // In the reference, what follows ByteLevel sees its alphabet; here the text stays UTF-8.
    if (!steps.empty() && steps.back()->is_byte_level()) step.reject("nothing after ByteLevel");
    steps.push_back(make_pre_tokenizer(step));
  }
  return std::make_unique<Sequence>(std::move(steps));
}

Made make_split(const Json& json) {
  const Json pattern = json.at("pattern");
  const SplitBehavior behavior = parse_split_behavior(json.at("behavior"));
  const bool is_inverted = json.at("invert").as_bool();
  if (const auto literal = pattern.find("String")) {
    if (literal->as_string().empty()) literal->reject("a pattern that is not empty");
    return std::make_unique<LiteralSplit>(std::string(literal->as_string()), behavior, is_inverted);
  }
  return make_pattern_split(json, pattern.at("Regex").as_string());
}

Made make_digits(const Json& json) {
  const bool is_individual = json.at("individual_digits").as_bool();
  return std::make_unique<CharacterSplit>(kNumeric,
                                          is_individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

Made make_punctuation(const Json& json) {
  const auto behavior = json.find("behavior");
  return std::make_unique<CharacterSplit>(kPunctuation,
                                          behavior ? parse_split_behavior(*behavior) : SplitBehavior::kIsolated);
}

struct PreTokenizerEntry {
  std::string_view type;
  Made (*make)(const Json& json);
};

const PreTokenizerEntry kPreTokenizers[] = {
    {"BertPreTokenizer", [](const Json&) -> Made { return std::make_unique<WordSplit>(kPunctuation); }},
    {"ByteLevel", make_byte_level},
    {"Digits", make_digits},
    {"Metaspace", make_metaspace},
    {"Punctuation", make_punctuation},
    {"Sequence", make_sequence},
    {"Split", make_split},
    {"Whitespace", [](const Json&) -> Made { return std::make_unique<Whitespace>(); }},
    {"WhitespaceSplit", [](const Json&) -> Made { return std::make_unique<WordSplit>(0); }},
};

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Json& json) {
  const std::string_view type = json.at("type").as_string();
  for (const PreTokenizerEntry& row : kPreTokenizers) {
    if (row.type == type) return row.make(json);
  }
  fail(json.document().kind(), json.document().where(), "unknown pre-tokenizer '{}'", type);
}

}  // namespace jina
