#include "text/metaspace.h"

#include "text/unicode.h"

namespace jina {

namespace {

enum class Prepend : uint8_t { kAlways, kFirst, kNever };

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string replacement, Prepend prepend, bool is_splitting)
      : replacement_(std::move(replacement)), prepend_(prepend), is_splitting_(is_splitting) {}

  void apply(PreTokenizedText& text) const override {
    NormalizedText rewritten;
    std::vector<ByteSpan> pieces;
    const size_t size = text.normalized.text.size() + (text.pieces.size() + 1) * replacement_.size();
    rewritten.text.reserve(size);
    rewritten.origin.reserve(size);
    pieces.reserve(text.pieces.size());
    for (const ByteSpan& piece : text.pieces) {
      const auto begin = static_cast<uint32_t>(rewritten.text.size());
      rewrite(text, piece, rewritten);
      const ByteSpan made{begin, static_cast<uint32_t>(rewritten.text.size())};
      if (is_splitting_) {
        cut(rewritten.text, made, pieces);
      } else {
        pieces.push_back(made);
      }
    }
    text.normalized = std::move(rewritten);
    text.pieces = std::move(pieces);
  }

 private:
  bool is_prepended(const PreTokenizedText& text, const ByteSpan& piece) const {
    const std::string_view view = std::string_view(text.normalized.text).substr(piece.begin, piece.end - piece.begin);
    if (view.starts_with(' ') || view.starts_with(replacement_) || prepend_ == Prepend::kNever) return false;
    if (prepend_ == Prepend::kAlways) return true;
    const auto& origin = text.normalized.origin;
    return text.is_start && (origin.empty() ? piece.begin : origin[piece.begin].begin) == 0;
  }

  void rewrite(const PreTokenizedText& text, const ByteSpan& piece, NormalizedText& out) const {
    const std::string& source = text.normalized.text;
    const auto& origin = text.normalized.origin;
    const bool needs_prefix = is_prepended(text, piece);
    const auto origin_at = [&](uint32_t i) {
      return origin.empty() ? ByteSpan{i, i + static_cast<uint32_t>(utf8_length(source[i]))} : origin[i];
    };
    if (needs_prefix) put(replacement_, origin_at(piece.begin), out);  // shares the origin of the first character
    for (uint32_t i = piece.begin; i < piece.end;) {
      const ByteSpan from = origin_at(i);
      if (source[i] == ' ') {
        put(replacement_, from, out);
        ++i;
        continue;
      }
      out.text.push_back(source[i]);
      out.origin.push_back(from);
      for (++i; i < piece.end && is_utf8_continuation(source[i]); ++i) {
        out.text.push_back(source[i]);
        out.origin.push_back(from);
      }
    }
  }

  static void put(std::string_view text, const ByteSpan& from, NormalizedText& out) {
    out.text.append(text);
    for (size_t i = 0; i < text.size(); ++i) out.origin.push_back(from);  // beats insert: few bytes, room reserved
  }

  /// Before each replacement character; of a run of them all but the last stand alone.
  void cut(std::string_view text, const ByteSpan& piece, std::vector<ByteSpan>& pieces) const {
    const std::string_view part = text.substr(0, piece.end);
    uint32_t begin = piece.begin;
    for (size_t at = part.find(replacement_, begin + 1); at != std::string_view::npos;
         at = part.find(replacement_, at + 1)) {
      pieces.push_back({begin, static_cast<uint32_t>(at)});
      begin = static_cast<uint32_t>(at);
    }
    if (begin < piece.end) pieces.push_back({begin, piece.end});
  }

  std::string replacement_;
  Prepend prepend_;
  bool is_splitting_;
};

Prepend parse_prepend(const Json& json) {
  const auto scheme = json.find("prepend_scheme");
  const bool has_prefix = json.bool_or("add_prefix_space", true);
  if (!scheme) return has_prefix ? Prepend::kAlways : Prepend::kNever;
  if (scheme->as_string() == "never") return Prepend::kNever;
  if (!has_prefix) scheme->reject("\"never\", as \"add_prefix_space\" is false");
  if (scheme->as_string() == "always") return Prepend::kAlways;
  if (scheme->as_string() == "first") return Prepend::kFirst;
  scheme->reject("\"always\", \"first\" or \"never\"");
}

}  // namespace

std::unique_ptr<PreTokenizer> make_metaspace(const Json& json) {
  const Json replacement = json.at("replacement");
  const std::string_view text = replacement.as_string();
  if (text.empty() || utf8_length(text[0]) != text.size()) replacement.reject("one character");
  return std::make_unique<Metaspace>(std::string(text), parse_prepend(json), json.bool_or("split", true));
}

}  // namespace jina
