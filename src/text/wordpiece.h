#pragma once

#include <memory>

#include "base/json.h"
#include "text/token_model.h"

namespace jina {

/// WordPiece: the longest vocabulary entry first, again and again; a word that does not come out whole is unknown.
/// Reads the "model" of a tokenizer.json. Errors: the document's kind.
std::unique_ptr<TokenModel> make_wordpiece(const Json& model);

}  // namespace jina
