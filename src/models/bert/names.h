#pragma once

#include "models/encoder_tensors.h"

namespace jina {

/// BertModel's and RobertaModel's names, without the prefix that a model with a head has.
inline constexpr EncoderNames kBertNames{
    .words = "embeddings.word_embeddings",
    .positions = "embeddings.position_embeddings",
    .types = "embeddings.token_type_embeddings",
    .embedding_norm = "embeddings.LayerNorm",
    .layer = "encoder.layer.{}.",
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .output = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .up = "intermediate.dense",
    .down = "output.dense",
    .output_norm = "output.LayerNorm",
    .pooler = "pooler.dense",
};

}  // namespace jina
