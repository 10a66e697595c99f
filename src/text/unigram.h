#pragma once

#include <memory>

#include "base/json.h"
#include "text/token_model.h"

namespace jina {

/// The "model" object of a tokenizer.json of type Unigram, as HF `tokenizers` 0.23.3 applies it. Errors name the field.
std::unique_ptr<TokenModel> make_unigram(const Json& model);

}  // namespace jina
