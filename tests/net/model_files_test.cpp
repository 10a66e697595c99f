#include "net/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace jina {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

HubListing listing_of(const std::vector<std::string>& paths) {
  HubListing listing;
  for (const std::string& path : paths) listing.files.push_back({path, 1, {}});
  return listing;
}

std::vector<std::string> selected(const std::vector<std::string>& paths, const ModelFileHints& hints = {}) {
  std::vector<std::string> names;
  for (const HubFile& file : select_model_files(listing_of(paths), hints, "acme/tiny")) names.push_back(file.path);
  return names;
}

Error rejected(const std::vector<std::string>& paths, const ModelFileHints& hints = {}) {
  try {
    selected(paths, hints);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return Error(ErrorKind::kInternal, "none");
}

TEST(ModelFiles, TakesWhatAModelNeedsAndNoMore) {
  EXPECT_THAT(selected({"config.json",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "special_tokens_map.json",
                        "modules.json",
                        "sentence_bert_config.json",
                        "config_sentence_transformers.json",
                        "1_Pooling/config.json",
                        "model.safetensors",
                        "README.md",
                        "LICENSE",
                        ".gitattributes",
                        "vocab.txt",
                        "pytorch_model.bin",
                        "onnx/model.onnx",
                        "onnx/config.json",
                        "openvino/model.xml",
                        "model.pt",
                        "modeling_jina.py",
                        "tf_model.h5",
                        "training_args.bin",
                        "other/model.safetensors"},
                       {.modules_json = R"([{"path": ""}, {"path": "1_Pooling"}, {"path": "2_Normalize"}])"}),
              UnorderedElementsAre("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                   "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
                                   "1_Pooling/config.json", "model.safetensors"));
}

TEST(ModelFiles, ModulesWithWeightsBringThem) {
  EXPECT_THAT(selected({"config.json", "tokenizer.json", "model.safetensors", "2_Dense/config.json",
                        "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin", "modules.json"},
                       {.modules_json = R"([{"path": ""}, {"path": "2_Dense"}])"}),
              UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors", "modules.json",
                                   "2_Dense/config.json", "2_Dense/model.safetensors"));
}

TEST(ModelFiles, AdaptersComeInEitherForm) {
  EXPECT_THAT(
      selected({"config.json", "tokenizer.json", "model.safetensors", "adapters/adapter_model.safetensors",
                "adapters/retrieval/adapter_config.json", "adapters/retrieval/adapter_model.safetensors",
                "text_matching/adapter_config.json", "text_matching/adapter_model.safetensors",
                "text_matching/adapter_model.bin", "adapters/README.md"}),
      UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors", "adapters/adapter_model.safetensors",
                           "adapters/retrieval/adapter_config.json", "adapters/retrieval/adapter_model.safetensors",
                           "text_matching/adapter_config.json", "text_matching/adapter_model.safetensors"));
}

TEST(ModelFiles, ShardsAreThoseOfTheIndex) {
  const std::string index =
      R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}})";
  EXPECT_THAT(selected({"config.json", "tokenizer.json", "model.safetensors.index.json", "model-1.safetensors",
                        "model-2.safetensors", "old-1.safetensors"},
                       {.index_json = index}),
              UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors.index.json",
                                   "model-1.safetensors", "model-2.safetensors"));
  EXPECT_THAT(selected({"config.json", "tokenizer.json", "model.safetensors.index.json", "model.safetensors"}),
              UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors"));
  const Error missing = rejected(
      {"config.json", "tokenizer.json", "model.safetensors.index.json", "model-1.safetensors"}, {.index_json = index});
  EXPECT_THAT(missing.what(), HasSubstr("'model-2.safetensors', which the repository does not have"));
  const Error odd = rejected({"config.json", "tokenizer.json", "model.safetensors.index.json"},
                             {.index_json = R"({"weight_map": {"a": "weights.bin"}})"});
  EXPECT_THAT(odd.what(), HasSubstr("tensor 'a'"));
}

TEST(ModelFiles, WithoutSafetensorsItSaysWhatThereIs) {
  const Error error = rejected({"config.json", "tokenizer.json", "pytorch_model.bin", "README.md"});
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("no weights in safetensors form"));
  EXPECT_THAT(error.what(), HasSubstr("it has only pytorch_model.bin"));
}

TEST(ModelFiles, WithoutConfigurationOrTokenizerItIsRefused) {
  EXPECT_THAT(rejected({"config.json", "model.safetensors"}).what(), HasSubstr("no tokenizer.json"));
  EXPECT_THAT(rejected({"tokenizer.json", "model.safetensors"}).what(), HasSubstr("no config.json"));
}

TEST(ModelFiles, UnsafeNamesAreRefused) {
  const std::vector<std::string> model = {"config.json", "tokenizer.json", "model.safetensors"};
  for (const char* name : {"../adapter_config.json", "/etc/adapter_config.json", "a/../../adapter_config.json",
                           "adapters/x\x1b[2J.json", ".ssh/adapter_config.json", "a b/adapter_config.json"}) {
    std::vector<std::string> paths = model;
    paths.emplace_back(name);
    const Error error = rejected(paths);
    EXPECT_EQ(error.kind(), ErrorKind::kNetwork) << name;
    EXPECT_THAT(error.what(), HasSubstr("unsafe name"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\x1b")));
  }
  const std::string index = R"({"weight_map": {"a": "../../model.safetensors"}})";
  EXPECT_THAT(rejected({"config.json", "tokenizer.json", "../../model.safetensors", "model.safetensors.index.json"},
                       {.index_json = index})
                  .what(),
              HasSubstr("unsafe name"));
  EXPECT_THAT(selected({"config.json", "tokenizer.json", "model.safetensors", "../not-needed.txt"}),
              testing::SizeIs(3));
}

}  // namespace
}  // namespace jina
