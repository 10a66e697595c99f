#pragma once

#include <optional>
#include <string>

#include "models/content.h"

namespace jina {

struct ExportOptions {
  std::optional<DType> dtype{};         ///< kF32 or kBF16 for all weights; absent: as they are. Adapters are f32
  int64_t shard_bytes = 5'000'000'000;  ///< more than this is split into files under an index
  bool keeps_adapters = true;           ///< the source's adapter folders are copied
};

/// Writes a Hugging Face model directory that transformers, sentence-transformers, PEFT and this program load: weights
/// and adapters of `content`, its text files, and for the rest copies of `source`'s: configuration, tokenizer, pooling,
/// adapters that are not in `content`. What sentence-transformers wants and neither has is made up (mean pooling,
/// normalisation). Appears whole under `target` or not at all; may replace `source` itself.
/// Tensors must be in host memory. Errors: kIo, kModelFile, kInvalidArgument for another dtype.
void write_model_directory(const std::string& source, const std::string& target, const ModelContent& content,
                           const ExportOptions& options = {});

}  // namespace jina
