#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/card.h"
#include "nn/pass.h"
#include "weights/model_directory.h"
#include "weights/weights.h"

namespace jina {

/// The token ids of several rows, packed.
struct TokenBatch {
  PackedLayout layout;
  std::vector<int32_t> ids;  // (tokens)
  RowAdapters adapters;      // (rows)
};

/// A model that turns token ids into hidden states.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// → (tokens, hidden) f32, the last hidden states. Not concurrent on one backend.
  virtual Tensor forward(const TokenBatch& batch, Capture* capture) const = 0;
};

struct Model {
  ModelCard card;
  std::unique_ptr<Encoder> encoder;
};

/// Puts another source in place of the one opened from a folder below the model's directory (an adapter's).
using SourceWrapper =
    std::function<std::shared_ptr<WeightSource>(const std::string& folder, std::shared_ptr<WeightSource> source)>;

/// What a model's folder builds from.
struct ModelParts {
  const ModelDirectory& directory;
  std::shared_ptr<WeightSource> weights;
  Backend& backend;
  SourceWrapper wrap_adapter = {};  ///< may be empty
};

/// One row per model family that the program knows.
struct ModelEntry {
  std::string_view name;
  bool (*matches)(const Json& config);
  Model (*build)(const ModelParts& parts);
};

/// The model of a directory. Errors: kUnsupported when no entry matches its config.json, kModelFile.
Model build_model(const ModelParts& parts);

/// Fields of the card that every family reads alike: name, directory, pooling, length limit, prompts as tasks.
ModelCard read_card(const ModelDirectory& directory, std::string_view family);

/// Every layer in turn on the embedded tokens, naming each result "layer.N". A template over the family's layer type.
template <typename Layer>
Tensor run_layers(const Pass& pass, Tensor hidden, const std::vector<Layer>& layers) {
  hidden = pass.backend.dropout(std::move(hidden));
  pass.show("embeddings", hidden);
  for (size_t i = 0; i < layers.size(); ++i) {
    hidden = pass.backend.run_layer([pass, &layer = layers[i]](Tensor x) { return layer(pass, std::move(x)); },
                                    std::move(hidden));
    if (pass.capture != nullptr) pass.show("layer." + std::to_string(i), hidden);
  }
  return hidden;
}

}  // namespace jina
