#include "training/export.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/atomic_directory.h"
#include "base/file.h"
#include "weights/safetensors.h"
#include "weights/sentence_config.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

/// Text files of a model directory that stay as they are, where they exist. A README speaks of the model that was.
constexpr std::array<std::string_view, 13> kCopied{
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "modules.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "config_sentence_transformers.json",
};

constexpr std::string_view kPeftPrefix = "base_model.model.";
constexpr std::string_view kAdapterConfig = "adapter_config.json";
constexpr std::string_view kAdapterWeights = "adapter_model.safetensors";

void write_text(const AtomicDirectory& out, const std::string& name, std::string_view text) {
  AtomicFile file(out.file(name));
  file.write(text);
  file.commit();
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The tensor in the dtype that was asked for.
Tensor converted(const Tensor& tensor, const std::optional<DType>& dtype) {
  if (!dtype || tensor.dtype() == *dtype) return tensor;
  const Tensor wide = to_f32(tensor);
  if (*dtype == DType::kF32) return wide;
  const Tensor narrow = make_tensor(DType::kBF16, wide.shape());
  std::ranges::transform(wide.span<float>(), narrow.data<BFloat16>(), to_bfloat16);
  return narrow;
}

int64_t bytes_of(const Tensor& tensor, const std::optional<DType>& dtype) {
  return tensor.shape().elements() * size_of(dtype.value_or(tensor.dtype()));
}

using NamedTensors = std::map<std::string, Tensor>;

/// Cuts the tensors, in the order of their names, into parts of at most `most` bytes (or one tensor).
std::vector<NamedTensors> shards_of(const NamedTensors& tensors, const ExportOptions& options) {
  std::vector<NamedTensors> shards(1);
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    const int64_t own = bytes_of(tensor, options.dtype);
    if (!shards.back().empty() && bytes + own > options.shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().emplace(name, tensor);
    bytes += own;
  }
  return shards;
}

/// One shard at a time is converted, so that a large model is never in memory twice.
void write_shard(const std::string& path, const NamedTensors& tensors, const ExportOptions& options) {
  NamedTensors ready;
  for (const auto& [name, tensor] : tensors) ready.emplace(name, converted(tensor, options.dtype));
  write_safetensors(path, ready, {{"format", "pt"}});
}

void write_weights(const AtomicDirectory& out, const NamedTensors& tensors, const ExportOptions& options) {
  const std::vector<NamedTensors> shards = shards_of(tensors, options);
  if (shards.size() == 1) {
    write_shard(out.file("model.safetensors"), shards.front(), options);
    return;
  }
  JsonObject places;
  int64_t bytes = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    for (const auto& [tensor_name, tensor] : shards[i]) {
      places.set(tensor_name, name);
      bytes += bytes_of(tensor, options.dtype);
    }
    write_shard(out.file(name), shards[i], options);
  }
  const JsonObject index =
      JsonObject().set("metadata", JsonObject().set("total_size", bytes)).set("weight_map", places);
  write_text(out, "model.safetensors.index.json", index.text());
}

void write_adapters(const AtomicDirectory& out, const ModelContent& content) {
  for (const auto& [folder, tensors] : content.adapters) {
    NamedTensors named;
    for (const auto& [name, tensor] : tensors) {
      const bool is_prefixed = name.starts_with(kPeftPrefix);
      named.emplace(is_prefixed ? name : std::string(kPeftPrefix) + name, to_f32(tensor));
    }
    write_safetensors(out.file(fmt::format("{}/{}", folder, kAdapterWeights)), named, {{"format", "pt"}});
  }
}

/// The files of `source` that are kept, by path.
std::vector<std::string> kept_files(const std::string& source, const ModelContent& content, bool keeps_adapters) {
  std::vector<std::string> names;
  const auto keep = [&](const std::string& name) {
    if (!content.files.contains(name) && is_file(fs::path(source) / name)) names.push_back(name);
  };
  for (const std::string_view name : kCopied) keep(std::string(name));
  for (const std::string_view name : kSentenceConfigs) keep(std::string(name));
  std::string pooling = "1_Pooling";
  if (is_file(fs::path(source) / "modules.json")) {
    const JsonDocument modules = JsonDocument::parse_file((fs::path(source) / "modules.json").string());
    pooling = modules_of(modules.root()).pooling_folder.value_or(pooling);
  }
  if (!pooling.empty()) keep(pooling + "/config.json");
  if (!keeps_adapters) return names;
  for (const auto& entry : fs::directory_iterator(source)) {
    const std::string folder = entry.path().filename().string();
    if (!is_file(entry.path() / kAdapterConfig)) continue;
    keep(fmt::format("{}/{}", folder, kAdapterConfig));
    if (!content.adapters.contains(folder)) keep(fmt::format("{}/{}", folder, kAdapterWeights));
  }
  return names;
}

/// config.json with the type of the weights as transformers states it.
std::string with_dtype(const std::string& text, DType dtype) {
  JsonObject config(JsonDocument::parse(text, "config.json", ErrorKind::kModelFile).root());
  const char* key = config.has("torch_dtype") ? "torch_dtype" : "dtype";
  return config.set(key, dtype == DType::kBF16 ? "bfloat16" : "float32").text();
}

/// Text files by path: the source's, then those of `content`, then what sentence-transformers needs besides.
std::map<std::string, std::string> text_files(const std::string& source, const ModelContent& content,
                                              const ExportOptions& options) {
  std::map<std::string, std::string> files = content.files;
  for (const std::string& name : kept_files(source, content, options.keeps_adapters))
    files[name] = read_file(source + "/" + name);
  const std::string type = "sentence_transformers.models.";
  const auto module = [&](int index, const char* path, const char* name) {
    return JsonObject().set("idx", index).set("name", std::to_string(index)).set("path", path).set("type", type + name);
  };
  if (!files.contains("modules.json")) {
    files["modules.json"] =
        fmt::format("[\n  {},\n  {},\n  {}\n]\n", module(0, "", "Transformer").compact(),
                    module(1, "1_Pooling", "Pooling").compact(), module(2, "2_Normalize", "Normalize").compact());
    const JsonDocument config = JsonDocument::parse(files.at("config.json"), "config.json", ErrorKind::kModelFile);
    JsonObject pooling;
    pooling.set("word_embedding_dimension", config.root().at("hidden_size").as_int());
    pooling.set("pooling_mode_cls_token", false).set("pooling_mode_mean_tokens", true);
    files.emplace("1_Pooling/config.json", pooling.text());
  }
  JsonObject sentence;
  sentence.set("prompts", JsonObject()).set_json("default_prompt_name", "null").set("similarity_fn_name", "cosine");
  files.emplace("config_sentence_transformers.json", sentence.text());
  if (options.dtype) files["config.json"] = with_dtype(files.at("config.json"), *options.dtype);
  return files;
}

}  // namespace

void write_model_directory(const std::string& source, const std::string& target, const ModelContent& content,
                           const ExportOptions& options) {
  if (options.dtype && *options.dtype != DType::kF32 && *options.dtype != DType::kBF16) {
    fail(ErrorKind::kInvalidArgument, target, "expected weights in f32 or bf16, found {}", to_string(*options.dtype));
  }
  const ModelDirectory checked = ModelDirectory::open(source);  // says what is missing or broken
  AtomicDirectory out(target);
  for (const auto& [name, text] : text_files(checked.path(), content, options)) write_text(out, name, text);
  write_weights(out, content.weights, options);
  write_adapters(out, content);
  fs::create_directories(fs::path(out.part()) / "2_Normalize");  // a module without files
  out.commit();
}

}  // namespace jina
