#include "text/wordpiece.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"
#include "text/vocabulary.h"

namespace jina {

namespace {

class WordPiece : public TokenModel {
 public:
  explicit WordPiece(const Json& model)
      : vocabulary_(model.at("vocab")),
        prefix_(model.at("continuing_subword_prefix").as_string()),
        prefix_hash_(Vocabulary::extend_hash(Vocabulary::kHashSeed, prefix_)) {
    const Json unknown = model.at("unk_token");
    unknown_ = vocabulary_.find(unknown.as_string());
    if (unknown_ == Vocabulary::kNone) unknown.reject("a token of the vocabulary");
    const Json longest = model.at("max_input_chars_per_word");
    if (longest.as_int() < 0) longest.reject("a count");
    longest_word_ = static_cast<size_t>(longest.as_int());
  }

  void tokenize(std::string_view word, std::vector<ModelToken>& out) const override {
    const auto size = static_cast<uint32_t>(word.size());
    if (word.size() > longest_word_ && count_characters(word) > longest_word_) {
      out.push_back({unknown_, 0, size});
      return;
    }
    const size_t first = out.size();
    for (uint32_t begin = 0; begin < size;) {
      const ModelToken token = longest_match(word, begin);
      if (token.end == begin) {
        out.resize(first);
        out.push_back({unknown_, 0, size});
        return;
      }
      out.push_back(token);
      begin = token.end;
    }
  }

  int64_t vocab_size() const override { return vocabulary_.size(); }
  std::string_view token(int32_t id) const override { return vocabulary_.token(id); }
  std::optional<int32_t> id(std::string_view token) const override {
    const int32_t found = vocabulary_.find(token);
    return found == Vocabulary::kNone ? std::nullopt : std::optional(found);
  }

 private:
  static size_t count_characters(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_utf8_continuation(c); }));
  }

  /// The longest vocabulary entry that begins at `begin` of the word; an empty token when there is none.
  ModelToken longest_match(std::string_view word, uint32_t begin) const {
    const std::string_view prefix = begin == 0 ? std::string_view() : std::string_view(prefix_);
    const std::string_view rest = word.substr(begin, vocabulary_.longest());
    // Hashes of all beginnings of the rest, so that each try from the longest down costs one look at the table.
    std::array<uint64_t, kHashesKept> hashes;
    uint64_t hash = begin == 0 ? Vocabulary::kHashSeed : prefix_hash_;
    const size_t known = std::min(rest.size(), hashes.size());
    for (size_t i = 0; i < known; ++i) hashes[i] = hash = Vocabulary::extend_hash(hash, rest[i]);
    for (size_t length = rest.size(); length > 0; --length) {
      if (begin + length < word.size() && is_utf8_continuation(word[begin + length])) continue;
      const std::string_view piece = rest.substr(0, length);
      const uint64_t piece_hash =
          length <= known ? hashes[length - 1] : Vocabulary::extend_hash(hashes[known - 1], piece.substr(known));
      const int32_t id = vocabulary_.find_joined(piece_hash, prefix, piece);
      if (id != Vocabulary::kNone) return {id, begin, begin + static_cast<uint32_t>(length)};
    }
    return {unknown_, begin, begin};
  }

  static constexpr size_t kHashesKept = 128;

  Vocabulary vocabulary_;
  std::string prefix_;
  uint64_t prefix_hash_;
  int32_t unknown_;
  size_t longest_word_;
};

}  // namespace

std::unique_ptr<TokenModel> make_wordpiece(const Json& model) {
  return std::make_unique<WordPiece>(model);
}

}  // namespace jina
