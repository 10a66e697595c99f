#include "text/wordpiece.h"

#include <algorithm>

#include "text/byte_trie.h"
#include "text/token_table.h"
#include "text/unicode.h"

namespace jina {

namespace {

constexpr int64_t kMostHoles = 1'000'000;  // ids without a token; more would be a broken file that asks for memory

/// The strings of a vocabulary by id; they lie in the document.
std::vector<std::string_view> read_vocabulary(const Json& json) {
  const simdjson::dom::object object = json.as_object();
  const auto limit = static_cast<int64_t>(object.size()) + kMostHoles;
  std::vector<std::string_view> text_of_id;
  text_of_id.reserve(object.size());
  for (const auto& [text, value] : object) {
    int64_t id = 0;
    if (value.get(id) != simdjson::SUCCESS || id < 0) json.reject("an object of token: id");
    if (id >= limit) {
      fail(json.document().kind(), json.document().where(), "'vocab': id {} of '{}' is far beyond the number of tokens",
           id, text);
    }
    if (static_cast<size_t>(id) >= text_of_id.size()) text_of_id.resize(static_cast<size_t>(id) + 1);
    text_of_id[static_cast<size_t>(id)] = text;
  }
  return text_of_id;
}

class WordPiece : public TokenModel {
 public:
  WordPiece(const Json& model, const std::vector<std::string_view>& tokens)
      : tokens_(tokens),
        trie_(tokens),
        continuation_(trie_.descend(model.at("continuing_subword_prefix").as_string())) {
    const Json unknown = model.at("unk_token");
    unknown_ = tokens_.find(unknown.as_string());
    if (unknown_ == TokenTable::kAbsent) unknown.reject("a token of the vocabulary");
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
      ModelToken token{unknown_, begin, begin};
      const ByteTrie::Place start = begin == 0 ? trie_.root() : continuation_;
      trie_.for_each_prefix(start, word.substr(begin), [&](size_t length, int32_t id) {
        token = {id, begin, begin + static_cast<uint32_t>(length)};
      });
      if (token.end == begin) {
        out.resize(first);
        out.push_back({unknown_, 0, size});
        return;
      }
      out.push_back(token);
      begin = token.end;
    }
  }

  int64_t vocab_size() const override { return tokens_.size(); }
  std::string_view token(int32_t id) const override {
    return id >= 0 && id < tokens_.size() ? tokens_.text(id) : std::string_view();
  }
  std::optional<int32_t> id(std::string_view token) const override {
    const int32_t found = tokens_.find(token);
    return found == TokenTable::kAbsent ? std::nullopt : std::optional(found);
  }

 private:
  static size_t count_characters(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_utf8_continuation(c); }));
  }

  TokenTable tokens_;
  ByteTrie trie_;
  ByteTrie::Place continuation_;  // behind the prefix of a word's inner pieces
  int32_t unknown_;
  size_t longest_word_;
};

}  // namespace

std::unique_ptr<TokenModel> make_wordpiece(const Json& model) {
  return std::make_unique<WordPiece>(model, read_vocabulary(model.at("vocab")));
}

}  // namespace jina
