#pragma once

#include "models/encoder.h"

namespace jina {

bool is_bert(const Json& config);
Model build_bert(const ModelParts& parts);
/// Adds the tasks "query" and "passage" of families whose files lack their prompts (E5, BGE), found by the model's
/// name.
void add_family_prompts(ModelCard& card);

}  // namespace jina
