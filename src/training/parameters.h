#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "training/recipe.h"
#include "weights/weights.h"

namespace jina {

/// The folder name under which the leaves of heads stand in a ParameterStore; they are no part of the model.
inline constexpr const char* kHeadFolder = "head";

/// One tensor of a model as a leaf of the graph.
struct Parameter {
  std::string folder;  ///< of an adapter, below the model's directory; "": the model itself
  std::string name;    ///< in the file of that folder
  at::Tensor value;    // f32, of the shape in the file
  std::string full_name() const { return folder.empty() ? name : folder + "/" + name; }
  bool is_trained() const { return value.requires_grad(); }
};

/// All tensors of a model while it trains. Models are built from the sources it gives, once for each stage; the leaves
/// stay the same.
///
///     ParameterStore store(at::kCPU);
///     build_model({directory, store.source("", open_safetensors(path)), backend, store.wrapper()});
///     store.train({"*"}, {"*word_embeddings*"});
class ParameterStore {
 public:
  explicit ParameterStore(at::Device device) : device_(device) {}

  /// The tensors of `source` as f32 leaves on the device, loaded when first asked for.
  std::shared_ptr<WeightSource> source(const std::string& folder, std::shared_ptr<WeightSource> source);

  /// Tensors whose full name matches one of `patterns` (`*`: any characters) and none of `except` want gradients from
  /// now on, others do not. A pattern without "/" does not mean adapters ("*": the model and heads; "*/*": adapters).
  /// Models must be built again afterwards. Error kInvalidInput for a pattern that matches nothing.
  void train(const std::vector<std::string>& patterns, const std::vector<std::string>& except);

  /// All tensors loaded so far, by full name.
  const std::map<std::string, Parameter>& all() const { return parameters_; }
  std::vector<Parameter> trained() const;
  /// Adds a tensor that no file has (a head's), or gives the one there is.
  at::Tensor leaf(const std::string& folder, const std::string& name, const std::function<at::Tensor()>& make);

 private:
  friend class ParameterSource;
  at::Device device_;
  std::map<std::string, Parameter> parameters_;
};

}  // namespace jina
