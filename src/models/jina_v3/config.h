#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "models/shape.h"

namespace jina {

/// config.json of jina-embeddings-v3, in its original form (XLMRobertaLoRA) or the native transformers one.
struct JinaV3Config : EncoderShape {
  bool is_native = false;  ///< model_type "jina_embeddings_v3": other field and tensor names, adapters as PEFT folders
  int64_t types = 1;
  double norm_epsilon = 1e-5;
  double rotary_base = 10000;
  std::vector<std::string> adapters{};  ///< task of each adapter, in the order of their indices
  int64_t lora_rank = 4;
  double lora_alpha = 1;
  std::vector<int64_t> matryoshka{};

  static JinaV3Config read(const Json& config);
};

}  // namespace jina
