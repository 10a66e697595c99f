#include "weights/sentence_config.h"

#include "support/expect_error.h"

namespace jina {
namespace {

using test::expect_error;

/// Calls `read` on a parsed text.
template <typename Read>  // a function of Json
auto of(std::string_view text, Read read) {
  const JsonDocument document = JsonDocument::parse(text, "c.json", ErrorKind::kModelFile);
  return read(document.root());
}

std::string pooling(std::string_view text) { return of(text, pooling_of); }

void expect_pooling_rejected(std::string_view text, std::string_view part) {
  expect_error(ErrorKind::kModelFile, part, [&] { pooling(text); });
}

TEST(PoolingOf, ReadsFlags) {
  EXPECT_EQ(pooling(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})"), "cls");
  EXPECT_EQ(pooling(R"({"pooling_mode_mean_tokens": true, "pooling_mode_lasttoken": null})"), "mean");
  EXPECT_EQ(pooling(R"({"pooling_mode_mean_tokens": false, "pooling_mode_lasttoken": true})"), "last");
  // No flag set is mean, as in sentence-transformers.
  EXPECT_EQ(pooling(R"({"word_embedding_dimension": 3, "pooling_mode_cls_token": false})"), "mean");
}

TEST(PoolingOf, ReadsTheNewerForm) {
  EXPECT_EQ(pooling(R"({"embedding_dimension": 3, "pooling_mode": "cls", "include_prompt": true})"), "cls");
  EXPECT_EQ(pooling(R"({"pooling_mode": ["mean"]})"), "mean");
  // It wins over flags.
  EXPECT_EQ(pooling(R"({"pooling_mode": "lasttoken", "pooling_mode_cls_token": true})"), "last");
}

TEST(PoolingOf, NamesWhatIsNotThere) {
  expect_pooling_rejected(R"({"pooling_mode_max_tokens": true})", "pooling mode 'max' is not supported");
  expect_pooling_rejected(R"({"pooling_mode_mean_sqrt_len_tokens": true})", "'mean_sqrt_len_tokens'");
  expect_pooling_rejected(R"({"pooling_mode_weightedmean_tokens": true})", "'weightedmean'");
  expect_pooling_rejected(R"({"pooling_mode_new": true})", "'pooling_mode_new'");
  expect_pooling_rejected(R"({"pooling_mode": "max"})", "'max'");
  expect_pooling_rejected(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})",
                          "found 2: cls, mean");
  expect_pooling_rejected(R"({"pooling_mode": ["mean", "max"]})", "found 2: mean, max");
  expect_pooling_rejected(R"({"pooling_mode": []})", "found 0");
  expect_pooling_rejected(R"({"pooling_mode": 4})", "expected an array");
  expect_pooling_rejected(R"({"pooling_mode_cls_token": 1})", "expected true or false");
  expect_pooling_rejected(R"({"pooling_mode": "mean", "include_prompt": false})", "'include_prompt' is false");
  expect_pooling_rejected("[]", "expected an object");
}

TEST(ModulesOf, FindsPoolingAndNormalize) {
  const SentenceModules modules =
      of(R"([{"type": "sentence_transformers.base.modules.transformer.Transformer", "path": ""},
             {"type": "sentence_transformers.models.Dropout", "path": "d"},
             {"type": "Pooling", "path": "1_Pooling"}, {"type": "a.Normalize", "path": "2_Normalize"}])",
         modules_of);
  EXPECT_EQ(modules.pooling_folder, "1_Pooling");
  EXPECT_TRUE(modules.has_normalize);
  EXPECT_FALSE(of("[]", modules_of).pooling_folder.has_value());
}

TEST(ModulesOf, RefusesWhatWouldChangeVectorsOrLeaveTheDirectory) {
  const auto expect_rejected = [](std::string_view text, std::string_view part) {
    expect_error(ErrorKind::kModelFile, part, [&] { of(text, modules_of); });
  };
  expect_rejected(R"([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}])",
                  "module 'sentence_transformers.models.Dense' is not supported");
  expect_rejected(R"([{"type": "a.Pooling", "path": "../x"}])", "inside the model directory");
  expect_rejected(R"([{"type": "a.Pooling", "path": "a/../../x"}])", "inside the model directory");
  expect_rejected(R"([{"type": "a.Pooling", "path": "/etc"}])", "inside the model directory");
  expect_rejected(R"([{"type": "a.Pooling", "path": "a\u0000"}])", "inside the model directory");
  expect_rejected(R"([{"type": "a.Pooling", "path": "a"}, {"type": "b.Pooling", "path": "b"}])", "more than one");
  expect_rejected(R"([{"path": "a"}])", "field 'type' is missing");
  expect_rejected(R"([{"type": "a.Pooling"}])", "field 'path' is missing");
  expect_rejected("{}", "expected an array");
  expect_rejected("[3]", "expected an object");
}

TEST(PromptsOf, KeepsFileOrder) {
  const SentencePrompts read = of(R"({"prompts": {"z": "Z: ", "a": ""}, "default_prompt_name": null})", prompts_of);
  EXPECT_EQ(read.prompts, (std::vector<std::pair<std::string, std::string>>{{"z", "Z: "}, {"a", ""}}));
  EXPECT_FALSE(read.chosen.has_value());
  EXPECT_TRUE(of(R"({"__version__": {}})", prompts_of).prompts.empty());
}

TEST(PromptsOf, RefusesContradictions) {
  const auto expect_rejected = [](std::string_view text, std::string_view part) {
    expect_error(ErrorKind::kModelFile, part, [&] { of(text, prompts_of); });
  };
  expect_rejected(R"({"prompts": {"a": ""}, "default_prompt_name": "b"})", "is 'b', which is not among the prompts");
  expect_rejected(R"({"prompts": {"a": "", "a": "x"}})", "prompt 'a' is given twice");
  expect_rejected(R"({"prompts": {"a": 3}})", "'a': expected a string");
  expect_rejected(R"({"prompts": ["a"]})", "'prompts': expected an object");
}

TEST(TokenizerMaxLengthOf, HugeMeansNone) {
  EXPECT_EQ(of(R"({"model_max_length": 512})", tokenizer_max_length_of), 512);
  EXPECT_EQ(of(R"({"model_max_length": 512.0})", tokenizer_max_length_of), 512);
  EXPECT_EQ(of(R"({"model_max_length": 1000000000000000019884624838656})", tokenizer_max_length_of), std::nullopt);
  EXPECT_EQ(of(R"({"model_max_length": 2147483648})", tokenizer_max_length_of), std::nullopt);
  EXPECT_EQ(of(R"({"model_max_length": -1})", tokenizer_max_length_of), std::nullopt);
  EXPECT_EQ(of("{}", tokenizer_max_length_of), std::nullopt);
}

TEST(TokenizerMaxLengthOf, AHugeNumberElsewhereChangesNoOther) {
  constexpr std::string_view kText =
      R"({"s": "\"123456789012345678901", "big": [-99999999999999999999], "n": 9007199254740993, "model_max_length": 8})";
  EXPECT_EQ(of(kText, tokenizer_max_length_of), 8);
  EXPECT_EQ(of(kText, [](const Json& root) { return root.at("n").as_int(); }), 9007199254740993);
  EXPECT_EQ(of(kText, [](const Json& root) { return root.at("big").as_array()[0].as_double(); }), -1e20);
  EXPECT_EQ(of(kText, [](const Json& root) { return std::string(root.at("s").as_string()); }),
            "\"123456789012345678901");
  for (const char* broken : {"[123456789012345678901x]", "[01]", "[123456789012345678901"}) {
    expect_error(ErrorKind::kModelFile, "not valid JSON", [&] { of(broken, tokenizer_max_length_of); });
  }
}

TEST(MaxSequenceLengthOf, IsPositive) {
  EXPECT_EQ(of(R"({"max_seq_length": 256})", max_sequence_length_of), 256);
  EXPECT_EQ(of(R"({"max_seq_length": null})", max_sequence_length_of), std::nullopt);
  EXPECT_EQ(of(R"({"max_seq_length": 9, "do_lower_case": false})", max_sequence_length_of), 9);
  expect_error(ErrorKind::kModelFile, "do_lower_case",
               [] { of(R"({"do_lower_case": true})", max_sequence_length_of); });
  expect_error(ErrorKind::kModelFile, "found -5", [] { of(R"({"max_seq_length": -5})", max_sequence_length_of); });
  expect_error(ErrorKind::kModelFile, "expected an integer",
               [] { of(R"({"max_seq_length": 2.5})", max_sequence_length_of); });
}

}  // namespace
}  // namespace jina
