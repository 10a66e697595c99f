#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jina {

/// The regular expressions by which byte-level tokenizers cut text into pre-tokens, as hand-written scanners.
enum class SplitPattern : uint8_t {
  kGpt2,    ///< ByteLevel with use_regex (GPT-2, RoBERTa, jina-embeddings-v2-base-code)
  kQwen2,   ///< Qwen2 and later, jina-embeddings-v4
  kCl100k,  ///< as kQwen2, but up to three digits stay together (GPT-4, Llama 3)
};

/// The pattern that a tokenizer.json spells as `regex`, compared letter by letter; nothing for an unknown one.
std::optional<SplitPattern> find_split_pattern(std::string_view regex);

/// Appends the matches of the pattern in order; together they cover `text` (valid UTF-8, less than 4 GiB) without gaps,
/// so they are what "Isolated" makes of it.
void split_by_pattern(SplitPattern pattern, std::string_view text, std::vector<ByteSpan>& out);

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
void split_gpt2(std::string_view text, std::vector<ByteSpan>& out);

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
void split_qwen2(std::string_view text, std::vector<ByteSpan>& out);

}  // namespace jina
