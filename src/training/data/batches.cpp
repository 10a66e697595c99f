#include "training/data/batches.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "training/data/permutation.h"

namespace jina {

namespace {

constexpr int64_t kWordSearch = 32;  // tokens in front of a cut in which a word start is looked for
constexpr int64_t kLeastRest = 32;   // tokens that a cut leaves for the last piece

/// Cuts a document into pieces of at most `room` tokens.
void cut_document(const TokenisedRows& rows, int64_t row, int64_t room, std::vector<Piece>& pieces) {
  const int32_t text = rows.queries[static_cast<size_t>(row)];
  const int64_t length = rows.length(text);
  for (int64_t begin = 0; begin < length;) {
    int64_t end = std::min(begin + room, length);
    if (end < length) {
      end = std::max(std::min(end, length - kLeastRest), begin + (room + 1) / 2);
      const int64_t earliest = std::max(begin + 1, end - kWordSearch);
      int64_t start = end;
      while (start >= earliest && !rows.starts_word(text, start)) --start;
      if (start >= earliest) end = start;
    }
    pieces.push_back({row, begin, end});
    begin = end;
  }
}

/// For each piece its sequence: the open one with the least room that is enough, else a new one.
std::vector<int64_t> best_fit(const std::vector<Piece>& pieces, int64_t max_tokens, int64_t around,
                              int64_t& sequences) {
  std::map<int64_t, std::vector<int64_t>> open;  // room left → sequences with it
  std::vector<int64_t> places;
  places.reserve(pieces.size());
  sequences = 0;
  for (const Piece& piece : pieces) {
    const int64_t size = piece.end - piece.begin + around;
    int64_t sequence = sequences;
    int64_t room = max_tokens;
    if (const auto fitting = open.lower_bound(size); fitting != open.end()) {
      room = fitting->first;
      sequence = fitting->second.back();
      fitting->second.pop_back();
      if (fitting->second.empty()) open.erase(fitting);
    } else {
      ++sequences;
    }
    if (room > size) open[room - size].push_back(sequence);
    places.push_back(sequence);
  }
  return places;
}

}  // namespace

Chunks split_into_chunks(std::span<const int64_t> lengths, int64_t most_tokens) {
  Chunks chunks;
  chunks.order.resize(lengths.size());
  std::iota(chunks.order.begin(), chunks.order.end(), 0);
  std::stable_sort(chunks.order.begin(), chunks.order.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  });
  chunks.offsets.push_back(0);
  int64_t tokens = 0;
  for (size_t i = 0; i < chunks.order.size(); ++i) {
    const int64_t length = lengths[static_cast<size_t>(chunks.order[i])];
    const bool is_first = static_cast<int64_t>(i) == chunks.offsets.back();
    if (!is_first && most_tokens > 0 && tokens + length > most_tokens) {
      chunks.offsets.push_back(static_cast<int64_t>(i));
      tokens = 0;
    }
    tokens += length;
  }
  if (!lengths.empty()) chunks.offsets.push_back(static_cast<int64_t>(lengths.size()));
  return chunks;
}

std::vector<int64_t> inverse_order(const std::vector<int64_t>& order) {
  std::vector<int64_t> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return inverse;
}

TemplateTokens find_template(const Tokenizer& tokenizer) {
  const Encoding encoding = tokenizer.encode("a");
  TemplateTokens around;
  bool is_before = true;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.special[i] == 0) {
      is_before = false;
    } else {
      (is_before ? around.before : around.after).push_back(encoding.ids[i]);
    }
  }
  return around;
}

PackedTexts pack_texts(const TokenisedRows& rows, int64_t max_tokens, const TemplateTokens& around, uint64_t key) {
  const int64_t room = max_tokens - around.size();
  if (room <= 0) {
    fail(ErrorKind::kInvalidArgument, "max_tokens", "{} is too short: the template alone takes {} tokens", max_tokens,
         around.size());
  }
  std::vector<Piece> pieces;
  const Permutation permutation(static_cast<uint64_t>(rows.rows()), key);
  for (uint64_t i = 0; i < permutation.size(); ++i) {
    cut_document(rows, static_cast<int64_t>(permutation[i]), room, pieces);
  }
  int64_t sequences = 0;
  const std::vector<int64_t> places = best_fit(pieces, max_tokens, around.size(), sequences);
  PackedTexts packed;
  packed.offsets.assign(static_cast<size_t>(sequences) + 1, 0);
  for (const int64_t place : places) ++packed.offsets[static_cast<size_t>(place) + 1];
  std::partial_sum(packed.offsets.begin(), packed.offsets.end(), packed.offsets.begin());
  std::vector<int64_t> next(packed.offsets.begin(), packed.offsets.end() - 1);
  packed.pieces.resize(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    packed.pieces[static_cast<size_t>(next[static_cast<size_t>(places[i])]++)] = pieces[i];
  }
  return packed;
}

PieceTokens piece_tokens(const TokenisedRows& rows, const Piece& piece, const TemplateTokens& around) {
  const int32_t text = rows.queries[static_cast<size_t>(piece.row)];
  const auto tokens = rows.tokens(text);
  PieceTokens result;
  result.ids = around.before;
  result.ids.insert(result.ids.end(), tokens.begin() + piece.begin, tokens.begin() + piece.end);
  result.ids.insert(result.ids.end(), around.after.begin(), around.after.end());
  result.word_starts.assign(result.ids.size(), 1);
  for (int64_t token = piece.begin + 1; token < piece.end; ++token) {  // the first token of a piece starts a word
    const auto place = around.before.size() + static_cast<size_t>(token - piece.begin);
    result.word_starts[place] = rows.starts_word(text, token) ? 1 : 0;
  }
  return result;
}

}  // namespace jina
