#include "models/encoder_tensors.h"

#include <array>

namespace jina {

namespace {

/// One affine map of a layer: where it stands here, what a family calls it, and its sizes.
struct LayerPart {
  AffineTensors EncoderLayerTensors::*tensors;
  std::string_view EncoderNames::*name;
  int64_t EncoderShape::*out;
  int64_t EncoderShape::*in;  // null: a norm
};

constexpr std::array kLayerParts{
    LayerPart{&EncoderLayerTensors::query, &EncoderNames::query, &EncoderShape::hidden, &EncoderShape::hidden},
    LayerPart{&EncoderLayerTensors::key, &EncoderNames::key, &EncoderShape::hidden, &EncoderShape::hidden},
    LayerPart{&EncoderLayerTensors::value, &EncoderNames::value, &EncoderShape::hidden, &EncoderShape::hidden},
    LayerPart{&EncoderLayerTensors::output, &EncoderNames::output, &EncoderShape::hidden, &EncoderShape::hidden},
    LayerPart{&EncoderLayerTensors::attention_norm, &EncoderNames::attention_norm, &EncoderShape::hidden, nullptr},
    LayerPart{&EncoderLayerTensors::up, &EncoderNames::up, &EncoderShape::inner, &EncoderShape::hidden},
    LayerPart{&EncoderLayerTensors::down, &EncoderNames::down, &EncoderShape::hidden, &EncoderShape::inner},
    LayerPart{&EncoderLayerTensors::output_norm, &EncoderNames::output_norm, &EncoderShape::hidden, nullptr},
};

std::string layer_prefix(std::string_view pattern, size_t index) {
  std::string prefix(pattern);
  return prefix.replace(prefix.find("{}"), 2, std::to_string(index));
}

AffineTensors take_affine(const Weights& weights, const std::string& name, const Shape& shape) {
  return {to_f32(weights.get(name + ".weight", shape)), to_f32(weights.get(name + ".bias", {shape[0]}))};
}

Tensor take_table(const Weights& weights, std::string_view name, int64_t rows, int64_t width) {
  return to_f32(weights.get(std::string(name) + ".weight", {rows, width}));
}

void put_affine(std::map<std::string, Tensor>& named, const std::string& name, const AffineTensors& tensors) {
  named.emplace(name + ".weight", tensors.weight);
  named.emplace(name + ".bias", tensors.bias);
}

}  // namespace

EncoderTensors take_tensors(const Weights& weights, const EncoderNames& names, const EncoderShape& shape,
                            int64_t types) {
  EncoderTensors tensors;
  tensors.words = take_table(weights, names.words, shape.vocabulary, shape.hidden);
  if (!names.positions.empty()) tensors.positions = take_table(weights, names.positions, shape.positions, shape.hidden);
  tensors.types = take_table(weights, names.types, types, shape.hidden);
  tensors.embedding_norm = take_affine(weights, std::string(names.embedding_norm), {shape.hidden});
  tensors.layers.resize(static_cast<size_t>(shape.layers));
  for (size_t i = 0; i < tensors.layers.size(); ++i) {
    const std::string prefix = layer_prefix(names.layer, i);
    for (const LayerPart& part : kLayerParts) {
      const Shape wanted = part.in == nullptr ? Shape{shape.*part.out} : Shape{shape.*part.out, shape.*part.in};
      tensors.layers[i].*part.tensors = take_affine(weights, prefix + std::string(names.*part.name), wanted);
    }
  }
  if (weights.has(std::string(names.pooler) + ".weight")) {
    tensors.pooler = take_affine(weights, std::string(names.pooler), {shape.hidden, shape.hidden});
  }
  return tensors;
}

std::map<std::string, Tensor> name_tensors(const EncoderTensors& tensors, const EncoderNames& names) {
  std::map<std::string, Tensor> named;
  named.emplace(std::string(names.words) + ".weight", tensors.words);
  if (!names.positions.empty()) named.emplace(std::string(names.positions) + ".weight", tensors.positions);
  named.emplace(std::string(names.types) + ".weight", tensors.types);
  put_affine(named, std::string(names.embedding_norm), tensors.embedding_norm);
  for (size_t i = 0; i < tensors.layers.size(); ++i) {
    const std::string prefix = layer_prefix(names.layer, i);
    for (const LayerPart& part : kLayerParts) {
      put_affine(named, prefix + std::string(names.*part.name), tensors.layers[i].*part.tensors);
    }
  }
  if (tensors.pooler) put_affine(named, std::string(names.pooler), *tensors.pooler);
  return named;
}

}  // namespace jina
