#pragma once

#include "text/pre_tokenizer.h"

namespace jina {

/// HF's Metaspace: blanks become a visible character (U+2581), one is put in front, and the text is cut before each.
std::unique_ptr<PreTokenizer> make_metaspace(const Json& json);

}  // namespace jina
