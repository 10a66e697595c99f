#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/bpe_merges.h"
#include "text/token_table.h"

namespace jina {

/// The symbols with which byte-level BPE begins: a byte each, and a whole character where that provably gives the same
/// tokens. Most text that is not ASCII is so spared two of three merges.
///
/// The proof for a character c in its place: merging c's bytes alone ends in one token T, by merges of ranks q1, q2, …;
/// at each of these steps no merge across c's edges, with the piece of c that stands there, has a lower rank than that
/// step; and no merge that takes T as a part has a lower rank than any of them. Then in the full algorithm nothing
/// touches c before it is T, and nothing that needs T could have come earlier. What may stand beside c is known only as
/// ASCII or not.
class CharacterSymbols {
 public:
  /// `words` holds the bytes of each id.
  CharacterSymbols(std::span<const MergeTable::Merge> merges, const MergeTable& table, const TokenTable& words);

  /// Appends the first symbols of a pre-token (valid UTF-8 of which each byte has a token).
  void append(std::string_view pre_token, std::vector<ModelToken>& out) const;
  /// Token of a single byte, TokenTable::kAbsent when there is none.
  int32_t byte_id(char byte) const { return byte_ids_[static_cast<unsigned char>(byte)]; }

 private:
  std::array<int32_t, 256> byte_ids_;
  std::vector<uint32_t> entries_;  // by code point below U+10000: token id, and above it the places where it may stand
};

}  // namespace jina
