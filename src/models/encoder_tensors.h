#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/shape.h"
#include "weights/weights.h"

namespace jina {

/// Weight and bias of a linear layer, (out, in) and (out), or of a norm, (width) both.
struct AffineTensors {
  Tensor weight;
  Tensor bias;
};

struct EncoderLayerTensors {
  AffineTensors query, key, value, output;  // (hidden, hidden)
  AffineTensors attention_norm;
  AffineTensors up;    // (inner, hidden)
  AffineTensors down;  // (hidden, inner)
  AffineTensors output_norm;
};

/// The tensors of an encoder with post-norm layers and a plain feed-forward, under the names of no family, so that what
/// one family has learnt can be written down as another. All f32 and contiguous.
struct EncoderTensors {
  Tensor words;      // (vocabulary, hidden)
  Tensor positions;  // (positions, hidden); empty: none
  Tensor types;      // (types, hidden)
  AffineTensors embedding_norm;
  std::vector<EncoderLayerTensors> layers;
  std::optional<AffineTensors> pooler;  // (hidden, hidden); not used for embeddings
};

/// What a family calls these tensors; names of a layer stand behind `layer`, in which {} is its index. A name without
/// its ".weight" and ".bias", tables without ".weight".
struct EncoderNames {
  std::string_view words;
  std::string_view positions;  ///< empty: none
  std::string_view types;
  std::string_view embedding_norm;
  std::string_view layer;
  std::string_view query;
  std::string_view key;
  std::string_view value;
  std::string_view output;
  std::string_view attention_norm;
  std::string_view up;
  std::string_view down;
  std::string_view output_norm;
  std::string_view pooler;
};

/// The tensors of these names. What does not fit is noted in `weights` and reported by its finish().
EncoderTensors take_tensors(const Weights& weights, const EncoderNames& names, const EncoderShape& shape,
                            int64_t types);
/// The tensors under these names; positions only when the names have a place for them.
std::map<std::string, Tensor> name_tensors(const EncoderTensors& tensors, const EncoderNames& names);

}  // namespace jina
