#include "training/export.h"

#include <filesystem>

#include "base/file.h"
#include "jina/embedder.h"
#include "support/embedding.h"
#include "support/expect_error.h"
#include "support/golden.h"
#include "support/temporary_directory.h"
#include "support/tolerance.h"
#include "weights/safetensors.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using test::tiny_model;

Embedder open_f32(const std::string& directory) {
  return Embedder::open(directory, {.precision = Precision::kF32, .threads = 1});
}

std::vector<float> embed(const Embedder& embedder, const std::string& task = "") {
  std::vector<EmbedInput> inputs;
  for (const char* text : {"A man is playing a guitar.", "Guten Morgen, Welt", "x"}) {
    inputs.push_back({.text = text});
    inputs.back().task = task;
  }
  return test::all_values(embedder.embed(std::move(inputs)));
}

void export_model(const std::string& source, const std::string& target, const ExportOptions& options = {}) {
  write_model_directory(source, target, read_content(ModelDirectory::open(source), {}), options);
}

/// Compares the vectors of a golden with those of its checkpoint written anew.
void expect_golden(const std::string& name, const std::string& directory) {
  const test::Golden golden(name);
  const Embedder embedder = open_f32(directory);
  const Tensor expected = golden.tensor("embedding");  // (texts, dimensions)
  int64_t row = 0;
  for (const Json& text : golden.expected().at("texts").as_array()) {
    const auto found = embedder.embed({{.text = std::string(text.at("text").as_string())}});
    const std::span<const float> wanted(expected.row<float>(row++), static_cast<size_t>(expected.width()));
    EXPECT_LE(test::max_difference(found[0].values, wanted), test::kEmbeddingTolerance) << name << " " << row;
  }
}

TEST(Export, WrittenModelsGiveTheirGoldens) {
  for (const char* name : {"bert-tiny-mean", "v2-small-8h"}) {
    const TemporaryDirectory files;
    export_model(tiny_model(name), files.path("out"));
    expect_golden(name, files.path("out"));
    EXPECT_TRUE(fs::is_directory(files.path("out/2_Normalize")));
  }
}

TEST(Export, OldLayoutOfAdaptersBecomesFolders) {
  const TemporaryDirectory files;
  export_model(tiny_model("v3-tiny"), files.path("out"));
  const Embedder before = open_f32(tiny_model("v3-tiny"));
  const Embedder after = open_f32(files.path("out"));
  EXPECT_EQ(after.info().parameters, before.info().parameters + 2 * 3 * 5 * 4 * 64) << "q, k, v: A of their own";
  ASSERT_EQ(after.info().tasks.size(), 5u);
  EXPECT_EQ(after.info().max_tokens, before.info().max_tokens);
  EXPECT_EQ(after.info().matryoshka, before.info().matryoshka);
  std::vector<float> base = embed(before);
  EXPECT_LE(test::max_difference(embed(after), base), test::kEmbeddingTolerance);
  for (size_t i = 0; i < 5; ++i) {
    const TaskInfo& task = before.info().tasks[i];
    EXPECT_EQ(after.info().tasks[i].name, task.name);
    EXPECT_EQ(after.info().tasks[i].prompt, task.prompt);
    EXPECT_LE(test::max_difference(embed(after, task.name), embed(before, task.name)), test::kEmbeddingTolerance);
    EXPECT_GT(test::max_difference(embed(after, task.name), base), 1e-3) << "the adapter acts";
  }
  // The same as the reference conversion, name by name and bit by bit.
  for (const char* file : {"model.safetensors", "separation/adapter_model.safetensors"}) {
    const auto ours = open_safetensors_file(files.path("out/") + file);
    const auto reference = open_safetensors_file(tiny_model("v3-tiny-native") + "/" + file);
    ASSERT_EQ(ours->names(), reference->names());
    for (const std::string& name : ours->names()) {
      const Tensor a = *ours->find(name, {}), b = *reference->find(name, {});
      ASSERT_EQ(a.shape(), b.shape()) << name;
      EXPECT_EQ(test::max_difference(a.span<float>(), b.span<float>()), 0) << name;
    }
  }
}

TEST(Export, ShardsUnderAnIndexAndHalfPrecision) {
  const TemporaryDirectory files;
  const std::string source = tiny_model("bert-tiny-mean");
  export_model(source, files.path("sharded"), {.shard_bytes = 100'000});
  EXPECT_FALSE(fs::exists(files.path("sharded/model.safetensors")));
  const auto names = weight_files(files.path("sharded"));
  ASSERT_GE(names.size(), 3u);
  EXPECT_EQ(names.front(), fmt::format("model-00001-of-{:05}.safetensors", names.size() - 1));
  EXPECT_EQ(embed(open_f32(files.path("sharded"))), embed(open_f32(source)));
  const JsonDocument index = JsonDocument::parse_file(files.path("sharded/model.safetensors.index.json"));
  int64_t bytes = 0;
  for (const std::string& name : open_safetensors(source)->names()) {
    bytes += static_cast<int64_t>(open_safetensors(source)->find(name, {})->bytes());
  }
  EXPECT_EQ(index.root().at("metadata").at("total_size").as_int(), bytes);

  export_model(source, files.path("half"), {.dtype = DType::kBF16});
  const auto half = open_safetensors(files.path("half"));
  EXPECT_EQ(half->find("embeddings.LayerNorm.weight", {})->dtype(), DType::kBF16);
  EXPECT_EQ(ModelDirectory::open(files.path("half")).config().at("torch_dtype").as_string(), "bfloat16");
  const auto rounded = embed(open_f32(files.path("half")));
  const auto exact = embed(open_f32(source));
  EXPECT_NE(rounded, exact);
  EXPECT_GE(test::cosine(rounded, exact), test::kBf16Cosine);
  test::expect_error(ErrorKind::kInvalidArgument, "i32",
                     [&] { export_model(source, files.path("x"), {.dtype = DType::kI32}); });
  EXPECT_FALSE(fs::exists(files.path("x")));
}

TEST(Export, ReplacesItsOwnSourceAndKeepsAdapters) {
  const TemporaryDirectory files;
  const std::string place = files.path("model");
  export_model(tiny_model("v3-tiny"), place);
  files.write("model/README.md", "about the model that was");
  ModelContent content;
  const auto source = open_safetensors(place);
  for (const std::string& name : source->names()) content.weights.emplace(name, *source->find(name, {}));
  const auto adapter = open_safetensors_file(place + "/separation/adapter_model.safetensors");
  for (const std::string& name : adapter->names()) {
    const Tensor old = *adapter->find(name, {});
    content.adapters["separation"].emplace(name.substr(std::string("base_model.model.").size()),
                                           make_tensor(DType::kF32, old.shape()));
  }
  const auto base = embed(open_f32(place));
  const auto query = embed(open_f32(place), "classification");
  write_model_directory(place, place, content);
  const Embedder after = open_f32(place);
  EXPECT_EQ(embed(after), base);
  EXPECT_EQ(embed(after, "classification"), query) << "not in the content: copied";
  EXPECT_EQ(embed(after, "separation"), base) << "zeros now";
  EXPECT_FALSE(fs::exists(place + "/README.md"));
}

TEST(Export, MakesUpWhatSentenceTransformersWants) {
  const TemporaryDirectory files;
  const std::string source = tiny_model("v3-tiny-native");
  export_model(source, files.path("out"));
  const ModelDirectory written = ModelDirectory::open(files.path("out"));
  EXPECT_EQ(written.pooling(), "mean");
  EXPECT_TRUE(written.has_normalize_module());
  EXPECT_TRUE(fs::exists(files.path("out/config_sentence_transformers.json")));
  EXPECT_TRUE(fs::exists(files.path("out/text_matching/adapter_config.json")));
  test::expect_error(ErrorKind::kNotFound, "absent", [&] { export_model(files.path("absent"), files.path("y")); });
}

}  // namespace
}  // namespace jina
