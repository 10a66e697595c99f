#include "text/unigram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "base/error.h"
#include "text/byte_trie.h"

namespace jina {
namespace {

constexpr double kUnknownPenalty = 10.0;
constexpr int32_t kNone = -1;
constexpr size_t kShortText = 512;  // bytes; up to here the nodes of the best path lie on the stack

/// The piece that ends the best path to a place of the text.
struct Node {
  double score;
  uint32_t length;  // 0: no path leads here yet
  int32_t id;
};

/// The double nearest to ten to the power of `exponent`, which is at most 308.
double power_of_ten(int exponent) {
  static constexpr auto kExact = [] {
    std::array<double, 23> powers{1};
    for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  if (exponent < static_cast<int>(kExact.size())) return kExact[static_cast<size_t>(exponent)];
  const std::string text = fmt::format("1e{}", exponent);
  double power = 0;
  std::from_chars(text.data(), text.data() + text.size(), power);
  return power;
}

/// The double that the reference makes of a number in a file whose nearest double is `nearest`. Its JSON reader
/// (serde_json without float_roundtrip) rounds the digits to a double and then divides by a power of ten, which can end
/// one step off. It shows: "----" may be cut as "-" "---" or "---" "-", and the last bit of the sums decides.
/// The digits are taken to be the shortest that give `nearest`, as Python and serde_json write them.
double as_read_by_reference(double nearest) {
  std::array<char, 32> buffer;
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), nearest, std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  bool is_fraction = false;
  for (const char* c = buffer.data(); c != written.ptr; ++c) {
    if (*c == 'e') {
      int written_exponent = 0;
      std::from_chars(c[1] == '+' ? c + 2 : c + 1, written.ptr, written_exponent);
      exponent += written_exponent;
      break;
    }
    if (*c == '.') is_fraction = true;
    if (*c < '0' || *c > '9') continue;
    digits = digits * 10 + static_cast<uint64_t>(*c - '0');
    if (is_fraction) --exponent;
  }
  const int size = exponent < 0 ? -exponent : exponent;
  if (size > 308) return nearest;
  const double magnitude = static_cast<double>(digits);
  const double value = exponent < 0 ? magnitude / power_of_ten(size) : magnitude * power_of_ten(size);
  return nearest < 0 ? -value : value;
}

size_t character_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

/// All pieces in order of their ids, in one string.
struct Vocab {
  std::string text;
  std::vector<uint32_t> ends;  // of each piece in `text`
  std::vector<double> scores;

  explicit Vocab(const Json& model);
  size_t size() const { return scores.size(); }
  std::string_view piece(size_t id) const {
    const uint32_t begin = id == 0 ? 0 : ends[id - 1];
    return std::string_view(text).substr(begin, ends[id] - begin);
  }
  std::vector<std::string_view> pieces() const {
    std::vector<std::string_view> all(size());
    for (size_t id = 0; id < all.size(); ++id) all[id] = piece(id);
    return all;
  }
};

Vocab::Vocab(const Json& model) {
  simdjson::dom::array array;
  const Json vocab = model.at("vocab");
  if (vocab.raw().get(array) != simdjson::SUCCESS) vocab.reject("an array");
  ends.reserve(array.size());
  scores.reserve(array.size());
  for (const simdjson::dom::element element : array) {
    simdjson::dom::array pair;
    std::string_view piece;
    double score = 0;
    if (element.get(pair) != simdjson::SUCCESS || pair.size() != 2 || pair.at(0).get(piece) != simdjson::SUCCESS ||
        pair.at(1).get(score) != simdjson::SUCCESS) {
      Json(model.document(), element, "vocab").reject("pairs of a piece and its score");
    }
    text += piece;
    if (text.size() > std::numeric_limits<uint32_t>::max()) vocab.reject("less than 4 GiB of pieces");
    ends.push_back(static_cast<uint32_t>(text.size()));
    scores.push_back(as_read_by_reference(score));
  }
  text.shrink_to_fit();
  if (size() > ByteTrie::kMaxKeys) vocab.reject(fmt::format("at most {} pieces", ByteTrie::kMaxKeys));
}

class Unigram final : public TokenModel {
 public:
  explicit Unigram(const Json& model);

  void tokenize(std::string_view pre_token, std::vector<ModelToken>& out) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(vocab_.size()); }
  std::string_view token(int32_t id) const override;
  std::optional<int32_t> id(std::string_view token) const override;

 private:
  void read_unknown(const Json& model);
  void read_byte_fallback(const Json& model);

  template <typename NodeAt>
  void extend_paths(std::string_view text, size_t begin, NodeAt node_at) const;
  template <typename NodeEndingAt>
  void write_best_path(std::string_view text, NodeEndingAt node_ending_at, std::vector<ModelToken>& out) const;
  void write_unknown(std::string_view text, size_t begin, size_t end, std::vector<ModelToken>& out) const;
  void tokenize_long(std::string_view text, std::vector<ModelToken>& out) const;

  Vocab vocab_;
  ByteTrie trie_;
  std::string where_;
  double unknown_score_ = 0;
  int32_t unknown_ = kNone;
  int32_t empty_ = kNone;     // the piece "", which no path uses
  size_t longest_piece_ = 4;  // bytes; at least a character
  bool has_byte_fallback_ = false;
  std::array<int32_t, 256> byte_ids_{};
};

Unigram::Unigram(const Json& model) : vocab_(model), trie_(vocab_.pieces()), where_(model.document().where()) {
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t id = 0; id < vocab_.size(); ++id) {
    lowest = std::min(lowest, vocab_.scores[id]);
    longest_piece_ = std::max(longest_piece_, vocab_.piece(id).size());
    if (vocab_.piece(id).empty()) empty_ = static_cast<int32_t>(id);
  }
  unknown_score_ = lowest - kUnknownPenalty;
  read_unknown(model);
  read_byte_fallback(model);
}

void Unigram::read_unknown(const Json& model) {
  const std::optional<Json> field = model.find("unk_id");
  if (!field) return;
  const int64_t id = field->as_int();
  if (id < 0 || id >= vocab_size()) field->reject(fmt::format("the id of one of the {} pieces", vocab_size()));
  unknown_ = static_cast<int32_t>(id);
}

void Unigram::read_byte_fallback(const Json& model) {
  has_byte_fallback_ = model.bool_or("byte_fallback", false);
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    byte_ids_[byte] = id(fmt::format("<0x{:02X}>", byte)).value_or(kNone);
  }
}

std::string_view Unigram::token(int32_t id) const {
  return id >= 0 && id < vocab_size() ? vocab_.piece(static_cast<size_t>(id)) : std::string_view();
}

std::optional<int32_t> Unigram::id(std::string_view token) const {
  if (!token.empty()) return trie_.find(token);
  return empty_ == kNone ? std::nullopt : std::optional(empty_);
}

/// Tries every piece that begins at `begin`. On equal scores the path found first stays, as in the reference.
template <typename NodeAt>
void Unigram::extend_paths(std::string_view text, size_t begin, NodeAt node_at) const {
  const double score_here = node_at(begin).score;
  const size_t character = character_length(text[begin]);
  bool has_character = false;
  const double* const scores = vocab_.scores.data();
  trie_.for_each_prefix(text.substr(begin), [&](size_t length, int32_t id) {
    Node& node = node_at(begin + length);
    const double score = scores[id] + score_here;
    if (node.length == 0 || score > node.score) node = {score, static_cast<uint32_t>(length), id};
    has_character |= length == character;
  });
  if (has_character) return;
  Node& node = node_at(begin + character);
  const double score = unknown_score_ + score_here;
  if (node.length != 0 && !(score > node.score)) return;
  if (unknown_ == kNone) {
    fail(ErrorKind::kModelFile, where_, "no piece for the character '{}', and the model has no 'unk_id'",
         text.substr(begin, character));
  }
  node = {score, static_cast<uint32_t>(character), unknown_};
}

/// Follows the path from the end of the text to its begin. Unknown pieces in a row become one.
template <typename NodeEndingAt>
void Unigram::write_best_path(std::string_view text, NodeEndingAt node_ending_at, std::vector<ModelToken>& out) const {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  size_t unknown_end = text.size();
  size_t end = text.size();
  while (end > 0) {
    const Node node = node_ending_at(end);
    if (node.id != unknown_) {
      if (end < unknown_end) write_unknown(text, end, unknown_end, out);
      unknown_end = end - node.length;
      out.push_back({node.id, static_cast<uint32_t>(unknown_end), static_cast<uint32_t>(end)});
    }
    end -= node.length;
  }
  if (unknown_end > 0) write_unknown(text, 0, unknown_end, out);
  std::reverse(out.begin() + first, out.end());
}

/// Appends, last one first, the tokens of text[begin, end): a piece after all, its bytes, or the unknown token.
void Unigram::write_unknown(std::string_view text, size_t begin, size_t end, std::vector<ModelToken>& out) const {
  const std::string_view run = text.substr(begin, end - begin);
  const auto write = [&](int32_t id) { out.push_back({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}); };
  const auto byte_id = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (const std::optional<int32_t> piece = trie_.find(run)) {
    write(*piece);
  } else if (has_byte_fallback_ && std::ranges::none_of(run, [&](char c) { return byte_id(c) == kNone; })) {
    std::for_each(run.rbegin(), run.rend(), [&](char c) { write(byte_id(c)); });
  } else {
    write(unknown_);
  }
}

/// Keeps only as many nodes as the longest piece is long; of the others the length, from which the piece is looked up.
void Unigram::tokenize_long(std::string_view text, std::vector<ModelToken>& out) const {
  std::vector<Node> ring(std::bit_ceil(longest_piece_ + 1));
  const size_t mask = ring.size() - 1;
  constexpr uint32_t kUnknownFlag = uint32_t{1} << 31;
  std::vector<uint32_t> lengths(text.size() + 1);
  const auto node_at = [&](size_t place) -> Node& { return ring[place & mask]; };
  for (size_t place = 0; place < text.size();) {
    const size_t next = place + character_length(text[place]);
    extend_paths(text, place, node_at);
    for (; place < next; ++place) node_at(place).length = 0;
    lengths[next] = node_at(next).length | (node_at(next).id == unknown_ ? kUnknownFlag : 0);
  }
  const auto node_ending_at = [&](size_t end) {
    const uint32_t length = lengths[end] & ~kUnknownFlag;
    const bool is_unknown = lengths[end] != length;
    return Node{0, length, is_unknown ? unknown_ : trie_.find(text.substr(end - length, length)).value_or(unknown_)};
  };
  write_best_path(text, node_ending_at, out);
}

void Unigram::tokenize(std::string_view pre_token, std::vector<ModelToken>& out) const {
  if (pre_token.size() > kShortText) return tokenize_long(pre_token, out);
  std::array<Node, kShortText + 1> nodes;
  std::fill_n(nodes.begin(), pre_token.size() + 1, Node{});
  for (size_t place = 0; place < pre_token.size(); place += character_length(pre_token[place])) {
    extend_paths(pre_token, place, [&](size_t i) -> Node& { return nodes[i]; });
  }
  write_best_path(
      pre_token, [&](size_t end) { return nodes[end]; }, out);
}

}  // namespace

std::unique_ptr<TokenModel> make_unigram(const Json& model) { return std::make_unique<Unigram>(model); }

}  // namespace jina
