#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"
#include "training/data/tokenised_rows.h"

namespace jina {

/// Texts in the order in which they are encoded, in chunks.
struct Chunks {
  std::vector<int64_t> order;    // (texts) places of the texts, longest first, equal lengths in their order
  std::vector<int64_t> offsets;  // (chunks + 1) chunk c takes order[offsets[c]] to order[offsets[c + 1] - 1]
};

/// Chunks of at most `most_tokens` tokens (0: one chunk); a longer text is a chunk of its own. Texts of like length are
/// together, so that kernels that work on blocks of rows have even ones; nothing is padded.
Chunks split_into_chunks(std::span<const int64_t> lengths, int64_t most_tokens);

/// Where each text stands in `order`: result[order[i]] == i, to put encoded rows back into their order.
std::vector<int64_t> inverse_order(const std::vector<int64_t>& order);

/// Tokens that a tokenizer's template puts around a single text.
struct TemplateTokens {
  std::vector<int32_t> before;
  std::vector<int32_t> after;

  int64_t size() const { return static_cast<int64_t>(before.size() + after.size()); }
};
TemplateTokens find_template(const Tokenizer& tokenizer);

/// Tokens [begin, end) of the query (text) of a row.
struct Piece {
  int64_t row = 0;
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const Piece&) const = default;
};

/// Sequences of a masked-language stage. Each piece is a row of attention of its own, so nothing attends from one
/// document to another, and a sequence is a unit of work only.
struct PackedTexts {
  std::vector<Piece> pieces;
  std::vector<int64_t> offsets;  // (sequences + 1) sequence s has pieces [offsets[s], offsets[s + 1])

  int64_t sequences() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

/// Packs all rows of a data set that was tokenised without template into sequences of at most `max_tokens` tokens,
/// those of the template around each piece counted. Documents that are longer are cut into pieces of nearly equal
/// length, in front of a word where one starts in the last 32 tokens. Rows come in an order that `key` chooses; each
/// piece goes into the open sequence that it fills best (best fit), so that nearly all are full. Every token is in
/// exactly one piece. Error kInvalidArgument when the template leaves no room.
PackedTexts pack_texts(const TokenisedRows& rows, int64_t max_tokens, const TemplateTokens& around, uint64_t key);

/// A piece as the model sees it: with the template around it, and which tokens start a word.
struct PieceTokens {
  std::vector<int32_t> ids;
  std::vector<uint8_t> word_starts;
};
PieceTokens piece_tokens(const TokenisedRows& rows, const Piece& piece, const TemplateTokens& around);

}  // namespace jina
