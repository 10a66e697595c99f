#pragma once

#include <memory>

#include "base/json.h"
#include "text/token_model.h"

namespace jina {

/// Byte-pair encoding from the "model" object of a tokenizer.json of type BPE. Token ranges are bytes of the pre-token.
/// With `is_byte_level` (a ByteLevel pre-tokenizer is present) pre-tokens are plain UTF-8: the byte alphabet in which
/// such vocabularies are written is undone once, here, and no text is ever expanded. Errors: the document's kind, also
/// for dropout, continuing_subword_prefix and end_of_word_suffix, which no model of ours has.
///
///     const std::unique_ptr<TokenModel> bpe = make_bpe(document.root().at("model"), /*is_byte_level=*/true);
///     bpe->tokenize(" tokens", tokens);
std::unique_ptr<TokenModel> make_bpe(const Json& model, bool is_byte_level);

}  // namespace jina
