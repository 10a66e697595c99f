#include "text/bpe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "base/utf8.h"
#include "text/bpe_characters.h"
#include "text/bpe_merges.h"
#include "text/byte_alphabet.h"
#include "text/token_table.h"

namespace jina {

namespace {

constexpr int32_t kAbsent = TokenTable::kAbsent;

/// What a BPE model says beside its vocabulary and merges.
struct BpeOptions {
  std::string where;  // for errors
  std::optional<std::string> unk_token;
  bool fuse_unk = false;
  bool ignore_merges = false;
  bool byte_fallback = false;
};

/// Length of the character that begins with this byte.
uint32_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

class Bpe : public TokenModel {
 public:
  Bpe(BpeOptions options, TokenTable tokens, MergeTable merges)
      : options_(std::move(options)), tokens_(std::move(tokens)), merges_(std::move(merges)) {
    if (options_.unk_token) unk_id_ = tokens_.find(*options_.unk_token);
    for (int byte = 0; byte < 256; ++byte) {
      byte_fallback_ids_[byte] = options_.byte_fallback ? tokens_.find(fmt::format("<0x{:02X}>", byte)) : kAbsent;
    }
  }

  void tokenize(std::string_view pre_token, std::vector<ModelToken>& out) const override {
    if (pre_token.empty()) return;
    tokenize_characters(pre_token, tokens_.find(pre_token), out);
  }
  int64_t vocab_size() const override { return tokens_.size(); }
  std::string_view token(int32_t id) const override {
    return id >= 0 && id < tokens_.size() ? tokens_.text(id) : std::string_view();
  }
  std::optional<int32_t> id(std::string_view token) const override {
    const int32_t id = tokens_.find(token);
    return id == kAbsent ? std::nullopt : std::optional(id);
  }

 protected:
  const BpeOptions& options() const { return options_; }
  const TokenTable& tokens() const { return tokens_; }
  const MergeTable& merges() const { return merges_; }

  /// The model on a text in the alphabet of its vocabulary; `whole` is the id of all of it, if any.
  void tokenize_characters(std::string_view text, int32_t whole, std::vector<ModelToken>& out) const {
    if (options_.ignore_merges && whole != kAbsent) {
      out.push_back({whole, 0, static_cast<uint32_t>(text.size())});
      return;
    }
    const size_t first = out.size();
    append_characters(text, out);
    merges_.merge(out, first);
  }

 private:
  /// Appends one symbol per character, or what stands for an unknown one. As in HF, characters that are left out do not
  /// count in the ranges of those behind them, and byte fallbacks come before a pending unknown token.
  void append_characters(std::string_view text, std::vector<ModelToken>& out) const {
    uint32_t begin = 0;
    uint32_t unknown = 0;  // bytes of the pending unknown token
    const auto append = [&](int32_t id, uint32_t size) {
      out.push_back({id, begin, begin + size});
      begin += size;
    };
    for (size_t position = 0; position < text.size();) {
      const uint32_t size = character_size(text[position]);
      const std::string_view character = text.substr(position, size);
      position += size;
      const int32_t id = tokens_.find(character);
      if (id != kAbsent) {
        if (unknown > 0) append(unk_id_, std::exchange(unknown, 0));
        append(id, size);
      } else if (has_byte_fallback(character)) {
        for (const char byte : character) append(byte_fallback_ids_[static_cast<unsigned char>(byte)], 1);
      } else if (options_.unk_token) {
        if (unk_id_ == kAbsent) {
          fail(ErrorKind::kModelFile, options_.where, "unk_token '{}' is needed for '{}' but not in the vocabulary",
               *options_.unk_token, character);
        }
        if (unknown > 0 && !options_.fuse_unk) append(unk_id_, std::exchange(unknown, 0));
        unknown += size;
      }
    }
    if (unknown > 0) append(unk_id_, unknown);
  }

  bool has_byte_fallback(std::string_view character) const {
    return std::all_of(character.begin(), character.end(),
                       [&](char byte) { return byte_fallback_ids_[static_cast<unsigned char>(byte)] != kAbsent; });
  }

  BpeOptions options_;
  TokenTable tokens_;
  MergeTable merges_;
  int32_t unk_id_ = kAbsent;
  std::array<int32_t, 256> byte_fallback_ids_;
};

class ByteLevelBpe : public Bpe {
 public:
  ByteLevelBpe(BpeOptions options, TokenTable tokens, std::span<const MergeTable::Merge> merges, TokenTable words)
      : Bpe(std::move(options), std::move(tokens), MergeTable(merges)),
        words_(std::move(words)),
        characters_(merges, this->merges(), words_),
        word_states_(std::make_unique<std::atomic<WordState>[]>(words_.size())) {
    for (int byte = 0; byte < 256; ++byte) has_all_bytes_ &= characters_.byte_id(static_cast<char>(byte)) != kAbsent;
  }

  void tokenize(std::string_view pre_token, std::vector<ModelToken>& out) const override {
    if (pre_token.empty()) return;
    const int32_t whole = words_.find(pre_token);
    const auto size = static_cast<uint32_t>(pre_token.size());
    if (whole != kAbsent) {
      if (options().ignore_merges || word_states_[whole].load(std::memory_order_relaxed) == WordState::kWhole) {
        out.push_back({whole, 0, size});
        return;
      }
    }
    if (!has_all_bytes_ && has_unknown_byte(pre_token)) return tokenize_expanded(pre_token, whole, out);
    const size_t first = out.size();
    characters_.append(pre_token, out);
    merges().merge(out, first);
    if (whole != kAbsent && out.size() == first + 1) {
      word_states_[whole].store(WordState::kWhole, std::memory_order_relaxed);
    }
  }

 private:
  enum class WordState : uint8_t { kUntried, kWhole };

  bool has_unknown_byte(std::string_view bytes) const {
    return std::any_of(bytes.begin(), bytes.end(), [&](char byte) { return characters_.byte_id(byte) == kAbsent; });
  }

  /// A pre-token with bytes that the vocabulary lacks, the way HF goes: in the byte alphabet. Left-out characters move
  /// the ranges of those behind them by their size in that alphabet, so only there are they what HF gives.
  void tokenize_expanded(std::string_view pre_token, int32_t whole, std::vector<ModelToken>& out) const {
    const std::string expanded = encode_byte_alphabet(pre_token);
    std::vector<uint32_t> origin;  // byte of `pre_token` for each byte of `expanded`
    for (size_t position = 0; position < expanded.size(); position += character_size(expanded[position])) {
      const uint32_t byte = origin.empty() ? 0 : origin.back() + 1;
      origin.insert(origin.end(), character_size(expanded[position]), byte);
    }
    const size_t first = out.size();
    tokenize_characters(expanded, whole, out);
    for (size_t i = first; i < out.size(); ++i) {
      out[i].begin = origin[out[i].begin];
      out[i].end = origin[out[i].end - 1] + 1;
    }
  }

  TokenTable words_;  // the vocabulary as bytes
  CharacterSymbols characters_;
  // Which words of the vocabulary are known to come out of the merges whole; found out when they are first met. Any
  // thread may write, and all would write the same.
  std::unique_ptr<std::atomic<WordState>[]> word_states_;
  bool has_all_bytes_ = true;  // every byte has a token
};

BpeOptions read_options(const Json& model) {
  if (const auto dropout = model.find("dropout"); dropout && dropout->as_double() != 0) {
    dropout->reject("null or 0 (dropout is for training)");
  }
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.string_or(affix, "").empty())
      model.at(affix).reject("null or an empty string, others are not supported");
  }
  BpeOptions options;
  options.where = model.document().where();
  if (const auto unk = model.find("unk_token")) options.unk_token = std::string(unk->as_string());
  options.fuse_unk = model.bool_or("fuse_unk", false);
  options.ignore_merges = model.bool_or("ignore_merges", false);
  options.byte_fallback = model.bool_or("byte_fallback", false);
  return options;
}

/// The strings of a vocabulary by id; they lie in the document.
std::vector<std::string_view> read_vocabulary(const Json& model) {
  const Json vocab = model.at("vocab");
  std::vector<std::string_view> text_of_id;
  text_of_id.reserve(vocab.as_object().size());
  for (const auto [text, value] : vocab.as_object()) {
    const int64_t id = Json(vocab.document(), value, text).as_int();
    if (id < 0 || id > MergeTable::kMaxId) {
      fail(model.document().kind(), model.document().where(), "vocab: id {} of token '{}' is not in [0, {}]", id, text,
           MergeTable::kMaxId);
    }
    if (static_cast<size_t>(id) >= text_of_id.size()) text_of_id.resize(id + 1);
    if (text_of_id[id].data() != nullptr) {
      fail(model.document().kind(), model.document().where(), "vocab: tokens '{}' and '{}' have the same id {}",
           text_of_id[id], text, id);
    }
    text_of_id[id] = text;
  }
  return text_of_id;
}

/// A vocabulary in the byte alphabet as bytes; tokens that are not written in it have none.
TokenTable make_words(const std::vector<std::string_view>& text_of_id) {
  std::string bytes;
  std::vector<std::pair<size_t, size_t>> ranges(text_of_id.size());
  for (size_t id = 0; id < text_of_id.size(); ++id) {
    const size_t begin = bytes.size();
    if (!text_of_id[id].empty() && decode_byte_alphabet(text_of_id[id], bytes)) ranges[id] = {begin, bytes.size()};
  }
  std::vector<std::string_view> bytes_of_id(text_of_id.size());
  for (size_t id = 0; id < text_of_id.size(); ++id) {
    const auto [begin, end] = ranges[id];
    if (begin != end) bytes_of_id[id] = std::string_view(bytes).substr(begin, end - begin);
  }
  return TokenTable(bytes_of_id);
}

/// Reads "a b" and ["a", "b"]; a file has one form only.
class MergeReader {
 public:
  MergeReader(const Json& merges, const TokenTable& tokens) : merges_(merges), tokens_(tokens) {}

  std::vector<MergeTable::Merge> read() {
    if (!merges_.is_array()) merges_.reject("an array");
    const simdjson::dom::array array = merges_.raw();
    std::vector<MergeTable::Merge> list;
    list.reserve(array.size());
    for (const simdjson::dom::element element : array) {
      if (const auto parts = split(element)) parts_.push_back(*parts);
      ++line_;
      if (parts_.size() == kBlock) resolve_parts(list);
    }
    resolve_parts(list);
    if (list.size() > MergeTable::kMaxMerges) reject(line_, "more than {} merges", MergeTable::kMaxMerges);
    return list;
  }

 private:
  struct Parts {
    std::string_view left;
    std::string_view right;
    size_t line;
  };
  static constexpr size_t kBlock = 64;

  /// Nothing for the version line of old files.
  std::optional<Parts> split(simdjson::dom::element element) {
    const bool is_pair = element.is_array();
    if (line_ > 0 && is_pair != has_pairs_) reject(line_, "is {}, the first is not", is_pair ? "a pair" : "a string");
    has_pairs_ = is_pair;
    Parts parts{{}, {}, line_};
    if (is_pair) {
      const simdjson::dom::array pair = element;
      if (pair.size() != 2 || pair.at(0).get(parts.left) || pair.at(1).get(parts.right)) {
        reject(line_, "expected two strings, found {}", simdjson::minify(element));
      }
      return parts;
    }
    std::string_view text;
    if (element.get(text)) reject(line_, "expected \"a b\" or [\"a\", \"b\"], found {}", simdjson::minify(element));
    if (text.starts_with("#version")) return std::nullopt;
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos || text.find(' ', blank + 1) != std::string_view::npos) {
      reject(line_, "expected two tokens with one blank between, found '{}'", text);
    }
    return Parts{text.substr(0, blank), text.substr(blank + 1), line_};
  }

  /// Looks up the tokens of the merges read since the last time.
  void resolve_parts(std::vector<MergeTable::Merge>& list) {
    std::array<std::string, kBlock> joined;
    std::vector<std::string_view> texts;
    texts.reserve(3 * kBlock);
    for (size_t i = 0; i < parts_.size(); ++i) {
      const auto [left, right, line] = parts_[i];
      if (left.empty() || right.empty()) reject(line, "a side of '{}' + '{}' is empty", left, right);
      joined[i].assign(left).append(right);
      texts.insert(texts.end(), {left, right, joined[i]});
    }
    std::array<int32_t, 3 * kBlock> ids{};
    tokens_.find_all(texts, ids);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (ids[i] == kAbsent) reject(parts_[i / 3].line, "token '{}' is not in the vocabulary", texts[i]);
    }
    for (size_t i = 0; i < texts.size(); i += 3) list.push_back({ids[i], ids[i + 1], ids[i + 2]});
    parts_.clear();
  }

  template <typename... Args>
  [[noreturn]] void reject(size_t line, fmt::format_string<Args...> format, Args&&... args) const {
    fail(merges_.document().kind(), merges_.document().where(), "merges[{}]: {}", line,
         fmt::format(format, std::forward<Args>(args)...));
  }

  const Json& merges_;
  const TokenTable& tokens_;
  std::vector<Parts> parts_;  // not looked up yet
  size_t line_ = 0;
  bool has_pairs_ = false;
};

}  // namespace

std::unique_ptr<TokenModel> make_bpe(const Json& model, bool is_byte_level) {
  BpeOptions options = read_options(model);
  const std::vector<std::string_view> text_of_id = read_vocabulary(model);
  TokenTable tokens(text_of_id);
  if (const auto id = tokens.duplicate()) {
    fail(model.document().kind(), model.document().where(), "vocab: token '{}' is there twice", tokens.text(*id));
  }
  const std::vector<MergeTable::Merge> merges = MergeReader(model.at("merges"), tokens).read();
  if (!is_byte_level) return std::make_unique<Bpe>(std::move(options), std::move(tokens), MergeTable(merges));
  return std::make_unique<ByteLevelBpe>(std::move(options), std::move(tokens), merges, make_words(text_of_id));
}

}  // namespace jina
