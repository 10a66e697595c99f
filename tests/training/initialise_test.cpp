#include "training/initialise.h"

#include <cmath>
#include <filesystem>

#include "jina/embedder.h"
#include "support/default_model.h"
#include "support/embedding.h"
#include "support/expect_error.h"
#include "support/golden.h"
#include "support/temporary_directory.h"
#include "support/tolerance.h"
#include "weights/peft.h"
#include "weights/safetensors.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using test::tiny_model;

const std::vector<std::string> kTexts = {
    "A man is playing a guitar on the street.", "Two dogs run across the green field.",
    "The stock market fell sharply on Monday.", "How do I save electricity at home?",
    "She cooked dinner for her whole family.",  "The committee will meet again next week.",
    "Photosynthesis turns light into sugar.",   "An old train stood at the empty station.",
};

ModelRecipe recipe_of(const std::string& from, Initialise initialise = Initialise::kCheckpoint) {
  ModelRecipe recipe;
  recipe.from = from;
  recipe.initialise = initialise;
  return recipe;
}

Embedder open_f32(const std::string& directory) {
  return Embedder::open(directory, {.precision = Precision::kF32, .threads = 1});
}

std::vector<std::vector<float>> embed(const std::string& directory, const std::string& task = "") {
  std::vector<EmbedInput> inputs;
  for (const std::string& text : kTexts) {
    inputs.push_back({.text = text});
    inputs.back().task = task;
  }
  std::vector<std::vector<float>> vectors;
  for (Embedding& e : open_f32(directory).embed(std::move(inputs))) vectors.push_back(std::move(e.values));
  return vectors;
}

double mean_cosine(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += test::cosine(a[i], b[i]);
  return sum / static_cast<double>(a.size());
}

TEST(Initialise, CheckpointIsTheSameModel) {
  const TemporaryDirectory files;
  for (const char* name : {"bert-tiny-cls", "v2-code-6h", "v3-tiny-bf16"}) {
    const std::string out = files.path(name);
    const InitialiseReport report = initialise_model(recipe_of(tiny_model(name)), 1, out, {});
    EXPECT_GT(report.parameters, 10'000);
    EXPECT_GE(mean_cosine(embed(out), embed(tiny_model(name))), 1 - 1e-9) << name;
  }
  EXPECT_TRUE(fs::exists(files.path("v3-tiny-bf16/text_matching/adapter_model.safetensors")));
}

TEST(Initialise, LimitAndSizesAreStated) {
  const TemporaryDirectory files;
  ModelRecipe recipe = recipe_of(tiny_model("v3-tiny"));
  recipe.max_tokens = 2048;
  recipe.matryoshka = {16, 64};
  initialise_model(recipe, 1, files.path("a"), {});
  EXPECT_EQ(open_f32(files.path("a")).info().max_tokens, 2048);
  EXPECT_EQ(open_f32(files.path("a")).info().matryoshka, (std::vector<int64_t>{16, 64}));
  recipe = recipe_of(tiny_model("bert-tiny-mean"));
  recipe.max_tokens = 64;
  initialise_model(recipe, 1, files.path("b"), {});
  EXPECT_EQ(open_f32(files.path("b")).info().max_tokens, 64);
  recipe.max_tokens = 129;
  test::expect_error(ErrorKind::kInvalidInput, "128 positions",
                     [&] { initialise_model(recipe, 1, files.path("c"), {}); });
  EXPECT_FALSE(fs::exists(files.path("c")));
}

/// A directory with the shape and the tokenizer of a model, but nothing of its weights.
std::string shape_only(const TemporaryDirectory& files, const std::string& name) {
  const std::string directory = files.path("shape-" + name);
  fs::create_directories(directory);
  for (const char* file : {"config.json", "tokenizer.json"}) {
    fs::copy_file(tiny_model(name) + "/" + file, directory + "/" + file);
  }
  return directory;
}

TEST(Initialise, RandomWeightsAreAFunctionOfTheSeed) {
  const TemporaryDirectory files;
  for (const char* name : {"bert-tiny-mean", "v2-small-8h", "v3-tiny"}) {
    const ModelRecipe recipe = recipe_of(shape_only(files, name), Initialise::kRandom);
    initialise_model(recipe, 7, files.path("a"), {});
    initialise_model(recipe, 7, files.path("b"), {});
    initialise_model(recipe, 8, files.path("c"), {});
    EXPECT_EQ(embed(files.path("a")), embed(files.path("b")));
    EXPECT_NE(embed(files.path("a")), embed(files.path("c")));
    EXPECT_EQ(open_f32(files.path("a")).info().max_tokens, open_f32(tiny_model(name)).info().max_tokens) << name;
  }
}

TEST(Initialise, RandomWeightsFollowTheRule) {
  const TemporaryDirectory files;
  const ModelRecipe recipe = recipe_of(shape_only(files, "v3-tiny"), Initialise::kRandom);
  initialise_model(recipe, 7, files.path("a"), {});
  const auto weights = open_safetensors(files.path("a"));
  ASSERT_TRUE(weights->find("layers.2.self_attn.q_proj.weight", {}).has_value()) << "the layout that is trained";
  double sum = 0;
  double squares = 0;
  const Tensor matrix = *weights->find("layers.0.mlp.fc1.weight", {});  // (160, 64)
  for (const float value : matrix.span<float>()) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(matrix.shape().elements());
  EXPECT_NEAR(sum / count, 0, 5 * 0.02 / std::sqrt(count));
  EXPECT_NEAR(std::sqrt(squares / count), 0.02, 0.001);
  for (const float value : weights->find("layers.0.mlp.fc1.bias", {})->span<float>()) EXPECT_EQ(value, 0);
  for (const float value : weights->find("embeddings.LayerNorm.weight", {})->span<float>()) EXPECT_EQ(value, 1);
  const Tensor words = *weights->find("embeddings.word_embeddings.weight", {});
  for (int64_t i = 0; i < words.width(); ++i) EXPECT_EQ(words.row<float>(1)[i], 0) << "the padding token";
  EXPECT_NE(words.row<float>(0)[0], 0);
}

TEST(Initialise, PositionsAreReplaced) {
  const TemporaryDirectory files;
  const std::string from = tiny_model("bert-tiny-mean");
  ModelRecipe recipe = recipe_of(from, Initialise::kRotary);
  recipe.max_tokens = 512;
  recipe.rotary_base = 20000;
  const InitialiseReport report = initialise_model(recipe, 1, files.path("rotary"), kTexts);
  ASSERT_TRUE(report.heads.has_value());
  EXPECT_EQ(report.texts, 8);
  EXPECT_GT(report.heads->slow_after, report.heads->slow_before);
  const ModelInfo info = open_f32(files.path("rotary")).info();
  EXPECT_EQ(info.family, "jina_v3");
  EXPECT_EQ(info.max_tokens, 512);
  const ModelDirectory written = ModelDirectory::open(files.path("rotary"));
  EXPECT_EQ(written.config().at("rope_parameters").at("rope_theta").as_double(), 20000);
  EXPECT_EQ(written.config().at("pad_token_id").as_int(), 0);
  EXPECT_FALSE(written.config().find("bos_token_id").has_value()) << "null, not the class's default";

  recipe.align_heads = false;
  EXPECT_FALSE(initialise_model(recipe, 1, files.path("plain"), {}).heads.has_value());
  recipe.initialise = Initialise::kAlibi;
  initialise_model(recipe, 1, files.path("alibi"), {});
  EXPECT_EQ(open_f32(files.path("alibi")).info().family, "jina_v2");
  EXPECT_EQ(open_f32(files.path("alibi")).info().max_tokens, 512);
  for (const char* name : {"rotary", "plain", "alibi"}) {
    const double cosine = mean_cosine(embed(files.path(name)), embed(from));
    EXPECT_GT(cosine, 0.9) << name;
    EXPECT_LT(cosine, 1 - 1e-6) << name << ": positions do something";
  }
}

TEST(Initialise, OneTokenKnowsNoPosition) {
  // With one token, attention cannot see positions: all three forms must give the same vector, the positionless one.
  const TemporaryDirectory files;
  const ModelDirectory from = ModelDirectory::open(tiny_model("bert-tiny-mean"));
  ModelRecipe recipe = recipe_of(from.path(), Initialise::kRotary);
  initialise_model(recipe, 1, files.path("rotary"), kTexts);
  recipe.initialise = Initialise::kAlibi;
  initialise_model(recipe, 1, files.path("alibi"), {});
  EncoderTensors encoder = read_encoder(from);
  drop_positions(encoder, from);
  EXPECT_TRUE(encoder.positions.is_empty());
  const auto tokens = [](const std::string& directory) {
    auto result = open_f32(directory).embed({{.text = ""}}, {.kind = VectorKind::kTokens});
    return result[0].values;  // [CLS] [SEP]
  };
  const auto rotary = tokens(files.path("rotary"));
  const auto alibi = tokens(files.path("alibi"));
  EXPECT_EQ(rotary.size(), alibi.size());
  EXPECT_GE(test::cosine(rotary, alibi), 0.999) << "two tokens, one step apart";
}

TEST(Initialise, WrongSources) {
  const TemporaryDirectory files;
  ModelRecipe recipe = recipe_of(tiny_model("v2-small-8h"), Initialise::kRotary);
  test::expect_error(ErrorKind::kUnsupported, "absolute positions",
                     [&] { initialise_model(recipe, 1, files.path("x"), kTexts); });
  recipe.from = tiny_model("bert-tiny-mean");
  test::expect_error(ErrorKind::kInvalidInput, "no texts", [&] { initialise_model(recipe, 1, files.path("x"), {}); });
  files.write("bare/config.json", "{}");
  test::expect_error(ErrorKind::kNotFound, "tokenizer.json",
                     [&] { initialise_model(recipe_of(files.path("bare")), 1, files.path("x"), {}); });
  EXPECT_FALSE(fs::exists(files.path("x")));
}

TEST(CreateAdapters, ChangeNothingYetAndAreAsPeftStartsThem) {
  const TemporaryDirectory files;
  const std::string model = files.path("model");
  initialise_model(recipe_of(tiny_model("bert-tiny-mean"), Initialise::kRotary), 1, model, kTexts);
  const auto base = embed(model);
  const std::vector<std::string> tasks = {"retrieval.query", "code.search", "text-matching"};
  EXPECT_EQ(create_adapters(model, {.tasks = tasks, .rank = 3, .alpha = 1.5, .seed = 4}), tasks);
  const Embedder embedder = open_f32(model);
  ASSERT_EQ(embedder.info().tasks.size(), 3u);
  EXPECT_EQ(embedder.info().tasks[1].name, "code.search");
  EXPECT_EQ(embedder.info().tasks[0].prompt, "Represent the query for retrieving evidence documents: ");
  EXPECT_EQ(embed(model, "text-matching"), base);
  EXPECT_EQ(embed(model, "code.search"), base);

  const auto adapter = open_peft_adapter(model + "/code_search");
  ASSERT_TRUE(adapter.has_value());
  EXPECT_EQ(adapter->rank, 3);
  EXPECT_EQ(adapter->scale, 0.5);
  const auto find = [&](const std::string& name) { return *adapter->source->find(name, {}); };
  float most = 0;
  for (const float v : find("layers.1.mlp.fc2.lora_A.weight").span<float>()) most = std::max(most, std::fabs(v));
  EXPECT_LE(most, 1 / std::sqrt(128.0F));
  EXPECT_GE(most, 0.95F / std::sqrt(128.0F));
  for (const float v : find("layers.1.mlp.fc2.lora_B.weight").span<float>()) EXPECT_EQ(v, 0);
  for (const float v : find("embeddings.word_embeddings.lora_embedding_A").span<float>()) EXPECT_EQ(v, 0);
  EXPECT_NE(find("embeddings.word_embeddings.lora_embedding_B").row<float>(0)[0], 0);
  EXPECT_EQ(adapter->source->names().size(), 2u * (2 + 2 * 6));

  EXPECT_EQ(create_adapters(model, {.tasks = {"code.search", "separation"}, .seed = 5}),
            std::vector<std::string>{"separation"});
  EXPECT_EQ(open_f32(model).info().tasks.size(), 4u) << "and the others are still there";
}

TEST(CreateAdapters, WrongUse) {
  const TemporaryDirectory files;
  const std::string model = files.path("model");
  initialise_model(recipe_of(tiny_model("v3-tiny")), 1, model, {});
  EXPECT_TRUE(create_adapters(model, {.tasks = {"separation"}}).empty()) << "it has one";
  test::expect_error(ErrorKind::kInvalidInput, "share the folder",
                     [&] { create_adapters(model, {.tasks = {"text.matching"}}); });
  test::expect_error(ErrorKind::kInvalidInput, "expected a name", [&] { create_adapters(model, {.tasks = {"../x"}}); });
  test::expect_error(ErrorKind::kInvalidInput, "rank 0", [&] { create_adapters(model, {.tasks = {"a"}, .rank = 0}); });
  test::expect_error(ErrorKind::kUnsupported, "no adapters",
                     [&] { create_adapters(tiny_model("bert-tiny-mean"), {.tasks = {"a"}}); });
  test::expect_error(ErrorKind::kUnsupported, "inside its weights",
                     [&] { create_adapters(tiny_model("v3-tiny"), {.tasks = {"a"}}); });
}

TEST(Initialise, AlignedHeadsKeepMoreOfTheDefaultModel) {
  if (!test::has_default_model()) GTEST_SKIP() << "the default model is not in the cache";
  const TemporaryDirectory files;
  ModelRecipe recipe = recipe_of(test::default_model_directory(), Initialise::kRotary);
  const InitialiseReport report = initialise_model(recipe, 1, files.path("aligned"), kTexts);
  recipe.align_heads = false;
  initialise_model(recipe, 1, files.path("plain"), {});
  const auto teacher = embed(recipe.from);
  const double aligned = mean_cosine(embed(files.path("aligned")), teacher);
  const double plain = mean_cosine(embed(files.path("plain")), teacher);
  EXPECT_GT(aligned, plain);
  EXPECT_GT(report.heads->slow_after, 0.95);
  RecordProperty("aligned", std::to_string(aligned));
  RecordProperty("plain", std::to_string(plain));
}

}  // namespace
}  // namespace jina
