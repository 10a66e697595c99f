#include "weights/peft.h"

#include "support/expect_error.h"
#include "support/temporary_directory.h"
#include "weights/safetensors.h"

namespace jina {
namespace {

using test::expect_error;

PeftConfig config_of(std::string_view text) {
  return peft_config_of(JsonDocument::parse(text, "adapter_config.json", ErrorKind::kModelFile).root());
}

// As peft 0.21.2 writes it for jina-embeddings-v3 in its native layout, less the fields without a value.
constexpr std::string_view kConfig = R"({
  "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "auto_mapping": null, "bias": "none",
  "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true,
  "layer_replication": null, "lora_alpha": 1, "lora_bias": false, "lora_dropout": 0.0, "modules_to_save": null,
  "peft_type": "LORA", "r": 4, "rank_pattern": {}, "target_modules": ["word_embeddings", "q_proj"],
  "target_parameters": null, "task_type": null, "trainable_token_indices": null, "use_dora": false,
  "use_qalora": false, "use_rslora": false})";

TEST(PeftConfigOf, ScaleIsAlphaByRank) {
  EXPECT_DOUBLE_EQ(config_of(kConfig).scale, 0.25);
  EXPECT_EQ(config_of(kConfig).rank, 4);
  EXPECT_DOUBLE_EQ(config_of(R"({"r": 4, "lora_alpha": 6, "use_rslora": true})").scale, 3.0);
  EXPECT_DOUBLE_EQ(config_of(R"({"r": 32, "lora_alpha": 32})").scale, 1.0);
}

TEST(PeftConfigOf, RefusesWhatIsNotPlainLoRA) {
  const auto expect_rejected = [](std::string_view fields, std::string_view part) {
    expect_error(ErrorKind::kModelFile, part,
                 [&] { config_of(fmt::format(R"({{"r": 4, "lora_alpha": 1, {}}})", fields)); });
  };
  expect_rejected(R"("peft_type": "LOHA")", "'peft_type' is 'LOHA', expected LORA");
  expect_rejected(R"("use_dora": true)", "'use_dora' is set");
  expect_rejected(R"("lora_bias": true)", "'lora_bias' is set");
  expect_rejected(R"("rank_pattern": {"q_proj": 8})", "'rank_pattern' is set");
  expect_rejected(R"("alpha_pattern": {"q_proj": 8})", "'alpha_pattern' is set");
  expect_rejected(R"("modules_to_save": ["pooler"])", "'modules_to_save' is set");
  expect_rejected(R"("layer_replication": [[0, 4]])", "'layer_replication' is set");
  expect_rejected(R"("bias": "all")", "'bias' is 'all', expected 'none'");
  expect_error(ErrorKind::kModelFile, "'r': expected a positive integer, found 0",
               [] { config_of(R"({"r": 0, "lora_alpha": 1})"); });
  expect_error(ErrorKind::kModelFile, "field 'r' is missing", [] { config_of(R"({"lora_alpha": 1})"); });
  expect_error(ErrorKind::kModelFile, "field 'lora_alpha' is missing", [] { config_of(R"({"r": 1})"); });
  expect_error(ErrorKind::kModelFile, "expected an object", [] { config_of("[]"); });
}

class PeftAdapterTest : public testing::Test {
 protected:
  void write(const std::map<std::string, Shape>& shapes) const {
    directory_.write("a/adapter_config.json", std::string(kConfig));
    std::map<std::string, Tensor> tensors;
    for (const auto& [name, shape] : shapes) tensors.emplace(name, make_tensor(DType::kF32, shape));
    write_safetensors(directory_.path("a/adapter_model.safetensors"), tensors);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(PeftAdapterTest, NamesLoseThePrefix) {
  write({{"base_model.model.layers.0.self_attn.q_proj.lora_A.weight", {4, 16}},
         {"base_model.model.layers.0.self_attn.q_proj.lora_B.weight", {16, 4}},
         {"base_model.model.embeddings.word_embeddings.lora_embedding_A", {4, 32}},
         {"base_model.model.embeddings.word_embeddings.lora_embedding_B", {16, 4}}});
  const auto adapter = open_peft_adapter(directory_.path("a"));
  ASSERT_TRUE(adapter.has_value());
  EXPECT_DOUBLE_EQ(adapter->scale, 0.25);
  EXPECT_EQ(adapter->rank, 4);
  EXPECT_EQ(adapter->source->names(),
            (std::vector<std::string>{
                "embeddings.word_embeddings.lora_embedding_A", "embeddings.word_embeddings.lora_embedding_B",
                "layers.0.self_attn.q_proj.lora_A.weight", "layers.0.self_attn.q_proj.lora_B.weight"}));
  const Weights weights(adapter->source);
  EXPECT_EQ((weights / "layers" / 0 / "self_attn.q_proj").get("lora_A.weight", {4, 16}).shape(), (Shape{4, 16}));
  EXPECT_EQ((weights / "layers" / 0 / "self_attn.q_proj").get("lora_B.weight", {16, 4}).rows(), 16);
  weights.release_taken();
  weights.ignore("embeddings.*");
  EXPECT_NO_THROW(weights.finish());
  EXPECT_EQ(adapter->source->where(), directory_.path("a/adapter_model.safetensors"));
}

TEST_F(PeftAdapterTest, NamesWithoutThePrefixAreKept) {
  write({{"layers.0.q.lora_A.weight", {4, 3}}});
  EXPECT_EQ(open_peft_adapter(directory_.path("a"))->source->names(),
            (std::vector<std::string>{"layers.0.q.lora_A.weight"}));
}

TEST_F(PeftAdapterTest, AnotherRankIsNamed) {
  write({{"q.lora_A.weight", {8, 16}}});
  expect_error(ErrorKind::kModelFile, "tensor 'q.lora_A.weight': expected (rank, in) of rank 4, file has (8, 16)",
               [&] { open_peft_adapter(directory_.path("a")); });
  write({{"e.lora_embedding_B", {4, 16}}});
  expect_error(ErrorKind::kModelFile, "expected (out, rank) of rank 4, file has (4, 16)",
               [&] { open_peft_adapter(directory_.path("a")); });
  write({{"q.lora_A.weight", {4}}});
  expect_error(ErrorKind::kModelFile, "file has (4)", [&] { open_peft_adapter(directory_.path("a")); });
}

TEST_F(PeftAdapterTest, AnAbsentFolderIsNoAdapterAndHalfOfOneIsAnError) {
  EXPECT_FALSE(open_peft_adapter(directory_.path("none")).has_value());
  directory_.write("a/adapter_config.json", std::string(kConfig));
  expect_error(ErrorKind::kNotFound, "adapter_model.safetensors", [&] { open_peft_adapter(directory_.path("a")); });
}

TEST(PeftConfig, WhatIsWrittenIsReadBack) {
  const std::string text = peft_config_text(4, 1.5, {"fc1", "q_proj"});
  const JsonDocument document = JsonDocument::parse(text, "written", ErrorKind::kModelFile);
  const PeftConfig config = peft_config_of(document.root());
  EXPECT_EQ(config.rank, 4);
  EXPECT_EQ(config.scale, 0.375);
  EXPECT_EQ(document.root().at("target_modules").as_array().size(), 2u);
  EXPECT_NE(peft_config_text(4, 2, {}).find("\"lora_alpha\": 2,"), std::string::npos) << "PEFT declares an integer";
}

}  // namespace
}  // namespace jina
