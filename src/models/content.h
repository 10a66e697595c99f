#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_object.h"
#include "models/encoder_tensors.h"
#include "weights/model_directory.h"

namespace jina {

/// What the files of a model directory hold, beside those that are the same as in the directory it was made from.
struct ModelContent {
  std::map<std::string, Tensor> weights;                          // of model.safetensors; f32, f16 or bf16
  std::map<std::string, std::map<std::string, Tensor>> adapters;  // by folder; names as PEFT's or without its prefix
  std::map<std::string, std::string> files;                       // text files in place of the source's, by path
};

/// What is to be different in a model that is made from another.
struct ContentOptions {
  int64_t max_tokens = 0;             ///< 0: as the source's card says
  double rotary_base = 10000;         ///< for rotary_content
  std::vector<int64_t> matryoshka{};  ///< empty: as the source
};

/// The content of a directory, in the layout that is trained: a family's older layout becomes its newer one, in which
/// each adapter is a folder of its own. Error kInvalidInput when `max_tokens` is more than a position table has.
ModelContent read_content(const ModelDirectory& directory, const ContentOptions& options);

/// config.json for a fresh model of the shape that a directory's config.json describes, without adapters, and the
/// tensors that `build_model` takes for it from `random`, under their names in the layout that is trained.
ModelContent random_content(const ModelDirectory& directory, const ContentOptions& options,
                            const std::shared_ptr<WeightSource>& random);

/// An encoder with learnt absolute positions under neutral names. Error kUnsupported for others.
EncoderTensors read_encoder(const ModelDirectory& directory);
/// Adds the mean of the position rows to each row of the token types and empties the positions (the mean keeps what all
/// positions have in common; +1.6 points on STS-B against dropping it, measured on a 6-layer model).
void drop_positions(EncoderTensors& tensors, const ModelDirectory& directory);

/// What is left when positions are dropped, to run it as it is: the family of `directory` with positions of zeros.
std::map<std::string, Tensor> positionless_weights(const EncoderTensors& tensors, const ModelDirectory& directory);
/// The encoder without its positions as a model with rotary positions; `directory` is where it came from.
ModelContent rotary_content(const EncoderTensors& tensors, const ModelDirectory& directory,
                            const ContentOptions& options);
/// … with ALiBi.
ModelContent alibi_content(const EncoderTensors& tensors, const ModelDirectory& directory,
                           const ContentOptions& options);

/// One module that an adapter changes.
struct AdaptedModule {
  std::string name;  ///< without PEFT's prefix
  int64_t out = 0;   ///< for an embedding: hidden
  int64_t in = 0;    ///< for an embedding: its rows
  bool is_embedding = false;
};

/// How a family keeps adapters.
struct AdapterLayout {
  std::vector<AdaptedModule> modules;
  std::map<std::string, std::string> folders;  ///< by task: of those asked for and those that are there
  std::vector<std::string> present;            ///< tasks whose folder is there, in the order of their indices
};

/// Where adapters for `tasks` go in a directory. Errors: kUnsupported when the model's family has none, or they are not
/// folders; kInvalidInput when a task has no usable name or two share a folder.
AdapterLayout adapter_layout(const ModelDirectory& directory, const std::vector<std::string>& tasks);
/// config.json and config_sentence_transformers.json that name `tasks`, all that the model has, with their
/// instructions: those the directory states, else the published ones.
std::map<std::string, std::string> files_with_tasks(const ModelDirectory& directory,
                                                    const std::vector<std::string>& tasks);

}  // namespace jina
