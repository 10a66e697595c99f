#include "training/heads.h"

#include <ATen/ATen.h>

#include "base/rng.h"

namespace jina {

namespace {

constexpr double kNormEpsilon = 1e-5;

at::Tensor normal(const std::string& name, at::IntArrayRef sizes, uint64_t seed) {
  at::Tensor values = at::empty(sizes, at::kFloat);
  const CounterRng rng(seed, name);
  float* to = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) to[i] = static_cast<float>(0.02 * rng.normal(static_cast<uint64_t>(i)));
  return values;
}

at::Tensor find_word_table(const ParameterStore& store, int64_t vocabulary) {
  for (const auto& [name, parameter] : store.all()) {
    const bool is_table = parameter.folder.empty() && (name_matches("*word_embeddings.weight", name) ||
                                                       name_matches("*word_embeddings.*original", name));
    if (is_table && parameter.value.size(0) == vocabulary) return parameter.value;
  }
  fail(ErrorKind::kUnsupported, "masked words", "no tensor '*word_embeddings.weight' of {} rows to guess words with",
       vocabulary);
}

}  // namespace

WordHead::WordHead(ParameterStore& store, int64_t vocabulary, uint64_t seed)
    : table_(find_word_table(store, vocabulary)) {
  const int64_t hidden = table_.size(1);
  const auto leaf = [&](const std::string& name, const std::function<at::Tensor()>& make) {
    return store.leaf(kHeadFolder, name, make);
  };
  dense_ = leaf("lm_head.dense.weight", [&] { return normal("lm_head.dense.weight", {hidden, hidden}, seed); });
  dense_bias_ = leaf("lm_head.dense.bias", [&] { return at::zeros({hidden}); });
  scale_ = leaf("lm_head.layer_norm.weight", [&] { return at::ones({hidden}); });
  shift_ = leaf("lm_head.layer_norm.bias", [&] { return at::zeros({hidden}); });
  bias_ = leaf("lm_head.bias", [&] { return at::zeros({vocabulary}); });
}

at::Tensor WordHead::operator()(const at::Tensor& states, at::ScalarType type) const {
  const at::Tensor wide = at::gelu(at::linear(states.to(type), dense_.to(type), dense_bias_.to(type)));
  const at::Tensor normed = at::layer_norm(wide.to(at::kFloat), {dense_.size(0)}, scale_, shift_, kNormEpsilon);
  return at::linear(normed.to(type), table_.to(type), bias_.to(type));
}

TokenHead::TokenHead(ParameterStore& store, int64_t hidden, int64_t width, uint64_t seed) {
  const std::string name = "multi_vector_projector.weight";
  weight_ = store.leaf(kHeadFolder, name, [&] { return normal(name, {width, hidden}, seed); });
  bias_ = store.leaf(kHeadFolder, "multi_vector_projector.bias", [&] { return at::zeros({width}); });
}

at::Tensor TokenHead::operator()(const at::Tensor& states, at::ScalarType type) const {
  const at::Tensor vectors = at::linear(states.to(type), weight_.to(type), bias_.to(type)).to(at::kFloat);
  return vectors / vectors.norm(2, 1, true).clamp_min(1e-12);
}

}  // namespace jina
