#pragma once

#include "models/encoder.h"

namespace jina {

bool is_jina_v2(const Json& config);
Model build_jina_v2(const ModelParts& parts);

}  // namespace jina
