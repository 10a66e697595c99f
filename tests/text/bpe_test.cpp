#include "text/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "text/split_patterns.h"

namespace jina {
namespace {

using testing::HasSubstr;

const JsonDocument& golden() {
  static const JsonDocument document =
      JsonDocument::parse_file(JINA_SOURCE_DIR "/tests/golden/text/byte_level_bpe.json");
  return document;
}

std::unique_ptr<TokenModel> v2_code() {
  const JsonDocument document = JsonDocument::parse_file(JINA_SOURCE_DIR "/tests/golden/text/v2_code_tokenizer.json");
  return make_bpe(document.root().at("model"), /*is_byte_level=*/true);
}

std::vector<std::vector<int64_t>> tokens_of(const TokenModel& model, std::string_view text) {
  std::vector<ModelToken> tokens;
  model.tokenize(text, tokens);
  std::vector<std::vector<int64_t>> rows;
  for (const ModelToken& token : tokens) rows.push_back({token.id, token.begin, token.end});
  return rows;
}

std::vector<int64_t> ids_of(const TokenModel& model, SplitPattern pattern, std::string_view text) {
  std::vector<ByteSpan> spans;
  split_by_pattern(pattern, text, spans);
  std::vector<ModelToken> tokens;
  for (const ByteSpan& span : spans) model.tokenize(text.substr(span.begin, span.end - span.begin), tokens);
  std::vector<int64_t> ids;
  for (const ModelToken& token : tokens) ids.push_back(token.id);
  return ids;
}

std::vector<int64_t> integers(const Json& array) {
  std::vector<int64_t> values;
  for (const Json& value : array.as_array()) values.push_back(value.as_int());
  return values;
}

TEST(Bpe, SmallModelsAsTheReference) {
  for (const Json& row : golden().root().at("models").as_array()) {
    const bool is_byte_level = row.at("is_byte_level").as_bool();
    const std::unique_ptr<TokenModel> model = make_bpe(row.at("model"), is_byte_level);
    for (const Json& text_and_tokens : row.at("cases").as_array()) {
      const std::string_view text = text_and_tokens.as_array()[0].as_string();
      std::vector<std::vector<int64_t>> expected;
      for (const Json& token : text_and_tokens.as_array()[1].as_array()) expected.push_back(integers(token));
      EXPECT_EQ(tokens_of(*model, text), expected) << row.at("name").as_string() << ": " << text;
      EXPECT_EQ(tokens_of(*model, text), expected) << "the second time";
    }
  }
}

void check_texts(const TokenModel& model, SplitPattern pattern, const char* name) {
  for (const Json& row : golden().root().at(name).as_array()) {
    const std::vector<Json> columns = row.as_array();
    EXPECT_EQ(ids_of(model, pattern, columns[0].as_string()), integers(columns[1])) << columns[0].as_string();
  }
}

TEST(Bpe, CodeModelAsTheReference) { check_texts(*v2_code(), SplitPattern::kGpt2, "v2_code"); }

TEST(Bpe, QwenModelAsTheReference) {
  const char* shared = std::getenv("JINA_SHARED_DIR");
  const std::filesystem::path folder = shared != nullptr ? shared : JINA_SOURCE_DIR "/../shared";
  const std::filesystem::path path = folder / "data/tokenizers/qwen2.5/tokenizer.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there (set JINA_SHARED_DIR)";
  const JsonDocument document = JsonDocument::parse_file(path.string());
  const std::unique_ptr<TokenModel> model = make_bpe(document.root().at("model"), /*is_byte_level=*/true);
  check_texts(*model, SplitPattern::kQwen2, "qwen2");
  EXPECT_EQ(model->vocab_size(), 151643);
}

TEST(Bpe, TokensAndIds) {
  const std::unique_ptr<TokenModel> model = v2_code();
  EXPECT_EQ(model->vocab_size(), 1000);
  const std::optional<int32_t> id = model->id("Ġthe");
  ASSERT_TRUE(id);
  EXPECT_EQ(model->token(*id), "Ġthe") << "as stored, not as bytes";
  EXPECT_EQ(tokens_of(*model, " the"), (std::vector<std::vector<int64_t>>{{*id, 0, 4}}));
  EXPECT_EQ(model->id(" the"), std::nullopt);
  EXPECT_EQ(model->token(-1), "");
  EXPECT_EQ(model->token(1000), "");
}

TEST(Bpe, AppendsAndTakesNothingFromNothing) {
  const std::unique_ptr<TokenModel> model = v2_code();
  std::vector<ModelToken> tokens = {{1, 2, 3}};
  model->tokenize("", tokens);
  EXPECT_EQ(tokens.size(), 1u);
  model->tokenize("x", tokens);
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, 1);
}

TEST(Bpe, OneMegabyteAsOneWord) {
  const std::unique_ptr<TokenModel> model = v2_code();
  std::string text;
  while (text.size() < 1'000'000) text += "return中x ";
  std::vector<ModelToken> tokens;
  model->tokenize(text, tokens);
  EXPECT_LT(tokens.size(), text.size());
  uint32_t end = 0;
  for (const ModelToken& token : tokens) {
    ASSERT_EQ(token.begin, end);
    end = token.end;
  }
  EXPECT_EQ(end, text.size());
}

TEST(Bpe, ThreadsShareAModel) {
  const std::unique_ptr<TokenModel> model = v2_code();
  const std::string_view text = golden().root().at("v2_code").as_array()[1].as_array()[0].as_string();
  const std::vector<int64_t> expected = integers(golden().root().at("v2_code").as_array()[1].as_array()[1]);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) count += ids_of(*model, SplitPattern::kGpt2, text) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Bpe, BrokenModelsSayWhatAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"vocab": {"a": 0}})", "field 'merges' is missing"},
      {R"({"merges": []})", "field 'vocab' is missing"},
      {R"({"vocab": {"a": "0"}, "merges": []})", "'a': expected an integer"},
      {R"({"vocab": {"a": -1}, "merges": []})", "id -1 of token 'a'"},
      {R"({"vocab": {"a": 4000000000}, "merges": []})", "id 4000000000 of token 'a'"},
      {R"({"vocab": {"a": 0, "b": 0}, "merges": []})", "tokens 'a' and 'b' have the same id 0"},
      {R"({"vocab": {"a": 0, "a": 1}, "merges": []})", "token 'a' is there twice"},
      {R"({"vocab": {"a": 0}, "merges": {}})", "'merges': expected an array"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": ["a a", "a b"]})", "merges[1]: token 'b' is not in the vocabulary"},
      {R"({"vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]]})", "merges[0]: token 'ab' is not in the vocabulary"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": ["a a a"]})", "merges[0]: expected two tokens with one blank"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": ["aa"]})", "merges[0]: expected two tokens with one blank"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": [["a", "a"], "a a"]})", "merges[1]: is a string, the first is not"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": [["a"]]})", "merges[0]: expected two strings"},
      {R"({"vocab": {"a": 0, "aa": 1}, "merges": [7]})", "merges[0]: expected"},
      {R"({"vocab": {"a": 0, "": 1}, "merges": [["", "a"]]})", "merges[0]: a side of '' + 'a' is empty"},
      {R"({"vocab": {"a": 0}, "merges": [], "dropout": 0.1})", "'dropout': expected null or 0"},
      {R"({"vocab": {"a": 0}, "merges": [], "end_of_word_suffix": "</w>"})", "'end_of_word_suffix'"},
      {R"({"vocab": {"a": 0}, "merges": [], "continuing_subword_prefix": "##"})", "'continuing_subword_prefix'"},
  };
  for (const auto& [json, message] : cases) {
    const JsonDocument document = JsonDocument::parse(json, "tokenizer.json", ErrorKind::kModelFile);
    try {
      make_bpe(document.root(), /*is_byte_level=*/true);
      ADD_FAILURE() << "accepted: " << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.where(), HasSubstr("tokenizer.json"));
    }
  }
}

TEST(Bpe, AMissingUnknownTokenIsAnErrorOnlyWhenNeeded) {
  const JsonDocument document = JsonDocument::parse(R"({"vocab": {"a": 0}, "merges": [], "unk_token": "<unk>"})",
                                                    "tokenizer.json", ErrorKind::kModelFile);
  for (const bool is_byte_level : {false, true}) {
    const std::unique_ptr<TokenModel> model = make_bpe(document.root(), is_byte_level);
    EXPECT_EQ(tokens_of(*model, "aa").size(), 2u);
    EXPECT_THROW(tokens_of(*model, "ab"), Error);
  }
}

}  // namespace
}  // namespace jina
