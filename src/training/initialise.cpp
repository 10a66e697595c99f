#include "training/initialise.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/atomic_directory.h"
#include "base/file.h"
#include "base/rng.h"
#include "training/export.h"
#include "weights/peft.h"
#include "weights/safetensors.h"

namespace jina {

namespace {

/// The first weights of a model that has learnt nothing: a function of (seed, name) alone.
class RandomSource final : public WeightSource {
 public:
  RandomSource(uint64_t seed, std::optional<int64_t> padding) : seed_(seed), padding_(padding) {}

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    Tensor tensor = make_tensor(DType::kF32, shape);
    if (shape.rank() == 1) {
      if (!name.ends_with("bias")) std::ranges::fill(tensor.span<float>(), 1.0F);
      return tensor;
    }
    constexpr double kDeviation = 0.02;
    const CounterRng rng(seed_, name);
    uint64_t position = 0;
    for (float& value : tensor.span<float>()) value = static_cast<float>(kDeviation * rng.normal(position++));
    if (padding_ && *padding_ < shape[0] && name.ends_with("word_embeddings.weight")) {
      std::fill_n(tensor.row<float>(*padding_), tensor.width(), 0.0F);
    }
    return tensor;
  }
  std::vector<std::string> names() const override { return {}; }
  const std::string& where() const override { return where_; }
  void release(const Tensor& /*tensor*/) override {}

 private:
  uint64_t seed_;
  std::optional<int64_t> padding_;
  std::string where_ = "random weights";
};

std::optional<int64_t> padding_token(const ModelDirectory& directory) {
  const auto id = directory.config().find("pad_token_id");
  return id && id->as_int() >= 0 ? std::optional(id->as_int()) : std::nullopt;
}

/// The encoder of `from` without its positions, heads aligned when that is asked for and of use.
EncoderTensors positionless_encoder(const ModelRecipe& recipe, const ModelDirectory& from,
                                    const std::vector<std::string>& texts, InitialiseReport& report) {
  EncoderTensors encoder = read_encoder(from);
  drop_positions(encoder, from);
  if (recipe.initialise != Initialise::kRotary || !recipe.align_heads) return encoder;
  constexpr int64_t kAlignTokens = 256;
  const auto count = std::min(texts.size(), static_cast<size_t>(std::max<int64_t>(recipe.align_texts, 0)));
  const std::vector<std::string> first(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(count));
  report.texts = static_cast<int64_t>(count);
  report.heads = align_heads(encoder, from.config().at("num_attention_heads").as_int(),
                             input_moments(encoder, from, first, kAlignTokens));
  return encoder;
}

ModelContent first_content(const ModelRecipe& recipe, const ModelDirectory& from, uint64_t seed,
                           const std::vector<std::string>& texts, InitialiseReport& report) {
  const ContentOptions options{
      .max_tokens = recipe.max_tokens, .rotary_base = recipe.rotary_base, .matryoshka = recipe.matryoshka};
  switch (recipe.initialise) {
    case Initialise::kCheckpoint: return read_content(from, options);
    case Initialise::kRandom:
      return random_content(from, options, std::make_shared<RandomSource>(seed, padding_token(from)));
    case Initialise::kRotary: return rotary_content(positionless_encoder(recipe, from, texts, report), from, options);
    case Initialise::kAlibi: return alibi_content(positionless_encoder(recipe, from, texts, report), from, options);
  }
  fail(ErrorKind::kInternal, "initialise_model", "unknown way to initialise");
}

/// Uniform in +-1/sqrt(columns): kaiming_uniform_ with a = sqrt(5), which is what PEFT uses for A.
Tensor kaiming_uniform(const CounterRng& rng, const Shape& shape) {
  Tensor tensor = make_tensor(DType::kF32, shape);
  const double bound = 1.0 / std::sqrt(static_cast<double>(shape[1]));
  uint64_t position = 0;
  for (float& value : tensor.span<float>()) value = static_cast<float>(bound * (2.0 * rng.uniform(position++) - 1.0));
  return tensor;
}

Tensor standard_normal(const CounterRng& rng, const Shape& shape) {
  Tensor tensor = make_tensor(DType::kF32, shape);
  uint64_t position = 0;
  for (float& value : tensor.span<float>()) value = static_cast<float>(rng.normal(position++));
  return tensor;
}

std::map<std::string, Tensor> fresh_adapter(const AdapterLayout& layout, const std::string& task,
                                            const AdapterRecipe& recipe) {
  std::map<std::string, Tensor> tensors;
  for (const AdaptedModule& module : layout.modules) {
    const std::string name = "base_model.model." + module.name;
    const CounterRng rng(recipe.seed, task + "/" + module.name);
    const Shape a{recipe.rank, module.in};
    const Shape b{module.out, recipe.rank};
    if (module.is_embedding) {
      tensors.emplace(name + ".lora_embedding_A", make_tensor(DType::kF32, a));
      tensors.emplace(name + ".lora_embedding_B", standard_normal(rng, b));
    } else {
      tensors.emplace(name + ".lora_A.weight", kaiming_uniform(rng, a));
      tensors.emplace(name + ".lora_B.weight", make_tensor(DType::kF32, b));
    }
  }
  return tensors;
}

/// Last parts of the modules' names, each once: what PEFT calls target_modules.
std::vector<std::string> target_names(const AdapterLayout& layout) {
  std::vector<std::string> names;
  for (const AdaptedModule& module : layout.modules) names.push_back(module.name.substr(module.name.rfind('.') + 1));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void check_recipe(const std::string& directory, const AdapterRecipe& recipe) {
  if (recipe.rank < 1) {
    fail(ErrorKind::kInvalidInput, directory, "adapters of rank {}: expected 1 or more", recipe.rank);
  }
  if (!std::isfinite(recipe.alpha) || recipe.alpha <= 0) {
    fail(ErrorKind::kInvalidInput, directory, "adapters with alpha {}: expected a number above 0", recipe.alpha);
  }
}

}  // namespace

InitialiseReport initialise_model(const ModelRecipe& recipe, uint64_t seed, const std::string& target,
                                  const std::vector<std::string>& texts) {
  const ModelDirectory from = ModelDirectory::open(recipe.from);
  if (!find_file_state(from.file("tokenizer.json"))) {
    fail(ErrorKind::kNotFound, from.path(), "a model to start from needs a tokenizer.json, found none");
  }
  InitialiseReport report;
  const ModelContent content = first_content(recipe, from, seed, texts, report);
  for (const auto& [name, tensor] : content.weights) report.parameters += tensor.shape().elements();
  write_model_directory(from.path(), target, content, {.keeps_adapters = recipe.initialise == Initialise::kCheckpoint});
  return report;
}

std::vector<std::string> create_adapters(const std::string& path, const AdapterRecipe& recipe) {
  check_recipe(path, recipe);
  const ModelDirectory directory = ModelDirectory::open(path);
  const AdapterLayout layout = adapter_layout(directory, recipe.tasks);
  std::vector<std::string> all = layout.present;
  std::vector<std::string> made;
  for (const std::string& task : recipe.tasks) {
    if (std::ranges::find(all, task) != all.end()) continue;
    AtomicDirectory folder(directory.file(layout.folders.at(task)));
    write_text(folder.file("adapter_config.json"), peft_config_text(recipe.rank, recipe.alpha, target_names(layout)));
    write_safetensors(folder.file("adapter_model.safetensors"), fresh_adapter(layout, task, recipe),
                      {{"format", "pt"}});
    folder.commit();
    all.push_back(task);
    made.push_back(task);
  }
  // Last, so that config.json never names an adapter that is not there.
  if (!made.empty()) {
    for (const auto& [name, text] : files_with_tasks(directory, all)) write_text(directory.file(name), text);
  }
  return made;
}

}  // namespace jina
