#pragma once

#include <span>
#include <vector>

#include "jina/types.h"
#include "ops/packed.h"
#include "text/tokenizer.h"

namespace jina {

/// A document as tokens: what the tokenizer gave for prompt + text, with the length of the prompt in bytes.
struct DocumentTokens {
  const Encoding& encoding;
  size_t prompt_bytes = 0;
};

/// The tokens of each chunk (Günther et al. 2024, arXiv 2409.04701, section 3.1). A token belongs to the chunk that
/// holds its last byte, so a blank in front of a word does not cut the word off. What precedes the first chunk (special
/// tokens, prompt) counts to it, what follows the last chunk to that one, as in the reference repository. Chunks may
/// overlap. Error kInvalidArgument naming a span that is empty, outside the text, or holds no token.
std::vector<TokenSpan> chunk_token_spans(const DocumentTokens& document, std::span<const TextSpan> spans,
                                         size_t text_bytes);

/// Chunks of `count` tokens (the last may be shorter), as spans that partition the text.
std::vector<TextSpan> chunks_of_tokens(const DocumentTokens& document, int64_t count, size_t text_bytes);
/// Chunks of `count` sentences, as spans that partition the text.
std::vector<TextSpan> chunks_of_sentences(std::string_view text, int64_t count);

/// One pass over a part of a long document: the tokens it reads, and from which one its outputs are kept.
struct Window {
  TokenSpan tokens;
  int64_t keep_from;
};

constexpr int64_t kWindowOverlap = 512;  ///< tokens that a later window reads again, as in the reference repository

/// Windows of at most `longest` tokens, each later one starting `overlap` tokens before the end of the one before; the
/// outputs of the overlap are dropped (long late chunking, ibid. section 3.2).
std::vector<Window> plan_windows(int64_t tokens, int64_t longest, int64_t overlap);

}  // namespace jina
