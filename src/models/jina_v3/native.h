#pragma once

#include <string>
#include <string_view>

#include "models/content.h"
#include "models/jina_v3/config.h"

namespace jina {

/// JinaEmbeddingsV3Model's names (transformers 5.23), without the prefix that a model with a head has.
inline constexpr EncoderNames kNativeRotaryNames{
    .words = "embeddings.word_embeddings",
    .positions = {},
    .types = "embeddings.token_type_embeddings",
    .embedding_norm = "embeddings.LayerNorm",
    .layer = "layers.{}.",
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .output = "self_attn.o_proj",
    .attention_norm = "post_attention_layernorm",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
    .output_norm = "post_mlp_layernorm",
    .pooler = "pooler.dense",
};

/// The tasks of the published model, in the order of their adapters.
inline constexpr std::string_view kPublishedTasks[] = {"retrieval.query", "retrieval.passage", "separation",
                                                       "classification", "text-matching"};
/// Places of max_position_embeddings that are never used, a habit of the family it came from.
inline constexpr int64_t kUnusedPositions = 2;

/// The folder of a task's adapter in the native layout: "retrieval.query" lies in "retrieval_query".
std::string adapter_folder(std::string task);
/// A task's instruction: config.json task_instructions, else config_sentence_transformers.json, else the published one.
std::string task_instruction(const ModelDirectory& directory, const std::string& task);

JsonObject task_instructions(const ModelDirectory& directory, const std::vector<std::string>& tasks);
/// The tasks that may have an adapter folder: those that the config names, then those of the published model.
std::vector<std::string> possible_tasks(const JinaV3Config& config);

/// A checkpoint of either layout in the native one. Weights keep their dtype; adapters of the original layout become
/// f32. The same conversion as tools/reference/native_v3.py.
ModelContent native_content(const ModelDirectory& directory);
/// config.json of the native layout for a model with `directory`'s sizes, without adapters; from the config.json of
/// either layout, or of an encoder with absolute positions.
JsonObject native_config(const ModelDirectory& directory, double rotary_base);

/// The modules that every published adapter changes, the unused pooler excepted: both embeddings and all linear layers.
AdapterLayout native_adapter_layout(const ModelDirectory& directory, const std::vector<std::string>& tasks);

}  // namespace jina
