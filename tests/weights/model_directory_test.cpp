#include "weights/model_directory.h"

#include <cstdlib>
#include <filesystem>

#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::expect_error;
using test::TemporaryDirectory;

constexpr std::string_view kPoolingFlags =
    R"({"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false})";
constexpr std::string_view kModules = R"([
    {"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer", "kwargs": ["task"]},
    {"idx": 1, "name": "1", "path": "pool", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])";

class ModelDirectoryTest : public testing::Test {
 protected:
  void SetUp() override { directory_.write("my-model/config.json", R"({"hidden_size": 48})"); }
  void write(const std::string& name, std::string_view content) const {
    directory_.write("my-model/" + name, std::string(content));
  }
  ModelDirectory open() const { return ModelDirectory::open(directory_.path("my-model")); }
  void expect_rejected(std::string_view part) const {
    expect_error(ErrorKind::kModelFile, part, [&] { open(); });
  }

  TemporaryDirectory directory_;
};

TEST_F(ModelDirectoryTest, AConfigIsEnough) {
  const ModelDirectory model = open();
  EXPECT_EQ(model.name(), "my-model");
  EXPECT_EQ(model.path(), directory_.path("my-model"));
  EXPECT_EQ(model.config().at("hidden_size").as_int(), 48);
  EXPECT_EQ(model.file("x.json"), directory_.path("my-model/x.json"));
  EXPECT_FALSE(model.max_sequence_length().has_value());
  EXPECT_FALSE(model.tokenizer_max_length().has_value());
  EXPECT_FALSE(model.pooling().has_value());
  EXPECT_FALSE(model.has_normalize_module());
  EXPECT_TRUE(model.prompts().empty());
  EXPECT_FALSE(model.default_prompt().has_value());
}

TEST_F(ModelDirectoryTest, SlashesAndDotsAtTheEndDoNotChangeTheName) {
  EXPECT_EQ(ModelDirectory::open(directory_.path("my-model//")).name(), "my-model");
  EXPECT_EQ(ModelDirectory::open(directory_.path("my-model//")).path(), directory_.path("my-model"));
  EXPECT_EQ(ModelDirectory::open(directory_.path("my-model/.")).name(), "my-model");
}

TEST_F(ModelDirectoryTest, TheManifestGivesTheName) {
  write("jina-manifest.json", R"({"version": 1, "name": "jinaai/jina-embeddings-v3"})");
  EXPECT_EQ(open().name(), "jinaai/jina-embeddings-v3");
}

TEST_F(ModelDirectoryTest, WhatIsMissingIsNamed) {
  expect_error(ErrorKind::kNotFound, "found nothing", [&] { ModelDirectory::open(directory_.path("absent")); });
  expect_error(ErrorKind::kNotFound, "found a file",
               [&] { ModelDirectory::open(directory_.path("my-model/config.json")); });
  expect_error(ErrorKind::kNotFound, "has no config.json", [&] { ModelDirectory::open(directory_.path()); });
  write("config.json", "{");
  expect_rejected("config.json: not valid JSON");
  write("config.json", "[]");
  expect_rejected("expected an object");
}

TEST_F(ModelDirectoryTest, ReadsSentenceTransformersFiles) {
  write("modules.json", kModules);
  write("pool/config.json", kPoolingFlags);
  write("1_Pooling/config.json", R"({"pooling_mode": "cls"})");  // not the one that modules.json names
  write("sentence_xlm-roberta_config.json", R"({"max_seq_length": 514, "do_lower_case": false})");
  write("tokenizer_config.json", R"({"model_max_length": 8194})");
  write("config_sentence_transformers.json",
        R"({"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": "document"})");
  const ModelDirectory model = open();
  EXPECT_EQ(model.pooling(), "mean");
  EXPECT_TRUE(model.has_normalize_module());
  EXPECT_EQ(model.max_sequence_length(), 514);
  EXPECT_EQ(model.tokenizer_max_length(), 8194);
  EXPECT_EQ(model.prompts(), (std::vector<std::pair<std::string, std::string>>{{"query", "q: "}, {"document", ""}}));
  EXPECT_EQ(model.default_prompt(), "document");
}

TEST_F(ModelDirectoryTest, PoolingWithoutModulesLiesInItsUsualPlace) {
  write("1_Pooling/config.json", R"({"pooling_mode": "lasttoken"})");
  EXPECT_EQ(open().pooling(), "last");
  EXPECT_FALSE(open().has_normalize_module());
}

TEST_F(ModelDirectoryTest, ModulesWithoutPoolingHaveNone) {
  write("modules.json", R"([{"path": "", "type": "sentence_transformers.models.Transformer"}])");
  write("1_Pooling/config.json", kPoolingFlags);
  EXPECT_FALSE(open().pooling().has_value());
}

TEST_F(ModelDirectoryTest, APoolingFileThatModulesNamesMustBeThere) {
  write("modules.json", kModules);
  expect_error(ErrorKind::kNotFound, "pool/config.json", [&] { open(); });
}

TEST_F(ModelDirectoryTest, TheFirstSentenceConfigCounts) {
  write("sentence_bert_config.json", R"({"max_seq_length": null})");
  write("sentence_roberta_config.json", R"({"max_seq_length": 5})");
  EXPECT_FALSE(open().max_sequence_length().has_value());
}

TEST_F(ModelDirectoryTest, BrokenSideFilesAreNamed) {
  write("tokenizer_config.json", R"({"model_max_length": "long"})");
  expect_rejected("tokenizer_config.json: 'model_max_length': expected a number");
  write("tokenizer_config.json", "{}");
  write("sentence_bert_config.json", R"({"max_seq_length": 0})");
  expect_rejected("sentence_bert_config.json: 'max_seq_length': expected a positive integer, found 0");
}

/// Directory of a golden model's checkpoint; the shared files are not part of the repository.
std::string golden_model(const std::string& name) {
  const char* shared = std::getenv("JINA_SHARED_DIR");
  return (shared != nullptr ? std::string(shared) : std::string(JINA_SOURCE_DIR "/../shared")) + "/golden/models/" +
         name + "/model";
}

struct GoldenDirectory {
  const char* name;
  std::optional<std::string> pooling;
  std::optional<int64_t> max_sequence;
  std::optional<int64_t> max_tokenizer;
  bool has_normalize;
  size_t prompts;
};

TEST(ModelDirectoryGolden, AllAreRead) {
  const GoldenDirectory kExpected[] = {
      {"bert-tiny-cls", "cls", 256, 512, true, 0},           {"bert-tiny-mean", "mean", 100, 512, true, 0},
      {"v2-base-12h", "mean", 8192, std::nullopt, false, 0}, {"v2-code-6h", "mean", 8192, 8192, false, 0},
      {"v2-small-8h", "mean", 8192, std::nullopt, false, 0}, {"v3-tiny", "mean", std::nullopt, 8194, true, 5},
      {"v3-tiny-bf16", "mean", std::nullopt, 8194, true, 5}, {"v4-tiny", std::nullopt, std::nullopt, 131072, false, 0},
  };
  if (!std::filesystem::exists(golden_model("v3-tiny"))) GTEST_SKIP() << "no " << golden_model("v3-tiny");
  for (const GoldenDirectory& expected : kExpected) {
    SCOPED_TRACE(expected.name);
    const ModelDirectory model = ModelDirectory::open(golden_model(expected.name));
    EXPECT_EQ(model.pooling(), expected.pooling);
    EXPECT_EQ(model.max_sequence_length(), expected.max_sequence);
    EXPECT_EQ(model.tokenizer_max_length(), expected.max_tokenizer);
    EXPECT_EQ(model.has_normalize_module(), expected.has_normalize);
    EXPECT_EQ(model.prompts().size(), expected.prompts);
  }
}

}  // namespace
}  // namespace jina
