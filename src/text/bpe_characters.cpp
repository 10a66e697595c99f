#include "text/bpe_characters.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace jina {

namespace {

constexpr char32_t kTableEnd = 0x10000;
constexpr int kIdBits = 21;
constexpr uint32_t kIdMask = (1u << kIdBits) - 1;

/// Places where a character may stand whole, as bits above the id.
constexpr uint32_t kAfterAscii = 1u << kIdBits;
constexpr uint32_t kAfterOther = 2u << kIdBits;
constexpr uint32_t kBeforeAscii = 4u << kIdBits;
constexpr uint32_t kBeforeOther = 8u << kIdBits;

bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }
bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes of a character of two or three bytes that begins at `position`; 1 for all else.
size_t table_character_size(std::string_view text, size_t position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  const size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 1;
  return position + size <= text.size() ? size : 1;
}

/// For each id, the lowest rank of the merges that take it as a part, by what the other part is.
struct LowestRanks {
  std::vector<uint32_t> after_ascii;  // it is the right part, the left one ends in ASCII
  std::vector<uint32_t> after_other;
  std::vector<uint32_t> before_ascii;  // it is the left part, the right one begins with ASCII
  std::vector<uint32_t> before_other;  // … with the first byte of a longer character
  std::vector<uint32_t> any;

  LowestRanks(std::span<const MergeTable::Merge> merges, const TokenTable& words) {
    for (auto* ranks : {&after_ascii, &after_other, &before_ascii, &before_other, &any}) {
      ranks->assign(words.size(), MergeTable::kNoRank);
    }
    uint32_t rank = 0;
    for (const MergeTable::Merge& merge : merges) {
      const std::string_view left = words.text(merge.left);
      const std::string_view right = words.text(merge.right);
      lower(any[merge.left], rank);
      lower(any[merge.right], rank);
      if (!left.empty()) lower((is_ascii(left.back()) ? after_ascii : after_other)[merge.right], rank);
      if (!right.empty() && !is_continuation(right.front())) {
        lower((is_ascii(right.front()) ? before_ascii : before_other)[merge.left], rank);
      }
      ++rank;
    }
  }

  static void lower(uint32_t& lowest, uint32_t rank) { lowest = std::min(lowest, rank); }
};

/// The step of the merge algorithm on a few symbols: index of the left part and rank of the next merge.
std::optional<std::pair<size_t, uint32_t>> next_merge(const std::vector<int32_t>& symbols, const MergeTable& table) {
  std::optional<std::pair<size_t, uint32_t>> best;
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    const uint32_t rank = table.rank(symbols[i], symbols[i + 1]);
    if (rank != MergeTable::kNoRank && (!best || rank < best->second)) best = {i, rank};
  }
  return best;
}

/// The token that `symbols`, the bytes of one character, become and where it may stand whole; 0 for nowhere.
uint32_t find_entry(std::vector<int32_t> symbols, const MergeTable& table, const LowestRanks& lowest) {
  uint32_t places = kAfterAscii | kAfterOther | kBeforeAscii | kBeforeOther;
  uint32_t highest = 0;
  while (symbols.size() > 1) {
    const auto next = next_merge(symbols, table);
    if (!next) return 0;
    const auto [at, rank] = *next;
    if (lowest.after_ascii[symbols.front()] < rank) places &= ~kAfterAscii;
    if (lowest.after_other[symbols.front()] < rank) places &= ~kAfterOther;
    if (lowest.before_ascii[symbols.back()] < rank) places &= ~kBeforeAscii;
    if (lowest.before_other[symbols.back()] < rank) places &= ~kBeforeOther;
    symbols[at] = table.merged(rank);
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(at) + 1);
    highest = std::max(highest, rank);
  }
  const int32_t token = symbols.front();
  return lowest.any[token] < highest ? 0 : places | static_cast<uint32_t>(token);
}

}  // namespace

CharacterSymbols::CharacterSymbols(std::span<const MergeTable::Merge> merges, const MergeTable& table,
                                   const TokenTable& words)
    : entries_(kTableEnd, 0) {
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    byte_ids_[byte] = words.find({&text, 1});
  }
  const LowestRanks lowest(merges, words);
  for (int32_t id = 0; id < words.size(); ++id) {
    const std::string_view text = words.text(id);
    if (text.size() < 2 || text.size() > 3 || find_invalid_utf8(text) || table_character_size(text, 0) != text.size()) {
      continue;
    }
    std::vector<int32_t> symbols;
    for (const char byte : text) symbols.push_back(byte_id(byte));
    if (std::find(symbols.begin(), symbols.end(), TokenTable::kAbsent) != symbols.end()) continue;
    size_t position = 0;
    entries_[next_code_point(text, position)] = find_entry(std::move(symbols), table, lowest);
  }
}

void CharacterSymbols::append(std::string_view pre_token, std::vector<ModelToken>& out) const {
  for (size_t begin = 0; begin < pre_token.size();) {
    size_t end = begin;
    if (table_character_size(pre_token, begin) > 1) {
      const uint32_t entry = entries_[next_code_point(pre_token, end)];
      uint32_t place = 0;
      if (begin > 0) place |= is_ascii(pre_token[begin - 1]) ? kAfterAscii : kAfterOther;
      if (end < pre_token.size()) place |= is_ascii(pre_token[end]) ? kBeforeAscii : kBeforeOther;
      if (entry != 0 && (entry & place) == place) {
        out.push_back(
            {static_cast<int32_t>(entry & kIdMask), static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
        begin = end;
        continue;
      }
    } else {
      ++end;
    }
    for (; begin < end; ++begin) {
      out.push_back({byte_id(pre_token[begin]), static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + 1)});
    }
  }
}

}  // namespace jina
