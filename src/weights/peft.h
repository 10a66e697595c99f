#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "weights/weights.h"

namespace jina {

/// The numbers of an adapter_config.json.
struct PeftConfig {
  double scale = 0;  ///< lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora (Kalajdzievski 2023)
  int64_t rank = 0;  ///< r
};

/// Error when it is not plain LoRA: another method, DoRA, biases, ranks or alphas that differ between layers.
PeftConfig peft_config_of(const Json& config);

/// The adapter_config.json that PEFT 0.21 writes for plain LoRA on the modules whose names end in one of `modules`.
std::string peft_config_text(int64_t rank, double alpha, const std::vector<std::string>& modules);

/// A LoRA adapter as PEFT saves it: y += scale * (x A^T) B^T. The names of `source` are those of the model's modules
/// without PEFT's prefix "base_model.model.":
///   linear "<module>.lora_A.weight" (rank, in) and "<module>.lora_B.weight" (out, rank);
///   embedding "<module>.lora_embedding_A" (rank, vocabulary) and "<module>.lora_embedding_B" (hidden, rank), so that
///   row t gains scale * A[:, t]^T B^T (peft 0.21.2, tuners/lora/layer.py, Embedding).
/// When an embedding is adapted, PEFT may also store its frozen weight as "<module>.base_layer.weight".
struct PeftAdapter {
  double scale = 0;
  int64_t rank = 0;
  std::shared_ptr<WeightSource> source;
};

/// Nothing when the folder has no adapter_config.json. Errors: kNotFound when it has no adapter_model.safetensors,
/// kModelFile when the config is not plain LoRA or a matrix is not of its rank.
std::optional<PeftAdapter> open_peft_adapter(const std::string& folder);

}  // namespace jina
