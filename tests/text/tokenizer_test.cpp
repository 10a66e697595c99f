#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "support/golden.h"
#include "support/shared_files.h"

namespace jina {
namespace {

std::vector<int32_t> flattened(const std::vector<ByteSpan>& spans) {
  std::vector<int32_t> values;
  for (const ByteSpan& span : spans) {
    values.push_back(static_cast<int32_t>(span.begin));
    values.push_back(static_cast<int32_t>(span.end));
  }
  return values;
}

bool is_equal(const Encoding& encoding, const Json& row) {
  if (encoding.special.size() != encoding.ids.size() || encoding.type_ids.size() != encoding.ids.size()) return false;
  if (encoding.ids != test::int_list(row.at("ids")) || flattened(encoding.offsets) != test::int_list(row.at("off"))) {
    return false;
  }
  if (const auto type_ids = row.find("type_ids"); type_ids && encoding.type_ids != test::int_list(*type_ids))
    return false;
  const auto special = row.find("special");
  const std::vector<int32_t> mask(encoding.special.begin(), encoding.special.end());
  return !special || mask == test::int_list(*special);
}

Encoding encode_row(const Tokenizer& tokenizer, const Json& row) {
  EncodeOptions options;
  options.add_special_tokens = row.string_or("kind", "") != "no-special" && !row.bool_or("no_special", false);
  options.max_length = row.int_or("max_length", 0);
  const std::string text = row.string_or("text", row.string_or("a", ""));
  const auto pair = row.find("pair") ? row.find("pair") : row.find("b");
  return pair ? tokenizer.encode_pair(text, pair->as_string(), options) : tokenizer.encode(text, options);
}

/// Compares every line of a golden file; stops after a few differences so that the report can be read.
class TokenizerGolden : public testing::TestWithParam<const char*> {
 protected:
  void compare(const std::string& suffix) {
    const std::string name = GetParam();
    const std::string model = test::shared_path("data/tokenizers/" + name + "/tokenizer.json");
    const std::string golden = test::shared_path("golden/tokenizers/" + name + suffix);
    if (!std::filesystem::exists(model) || !std::filesystem::exists(golden)) GTEST_SKIP() << "absent: " << model;
    const Tokenizer tokenizer = Tokenizer::load(model);
    int differences = 0;
    int lines = 0;
    test::for_each_line(test::read_gzip(golden), [&](size_t number, const std::string& line) {
      const JsonDocument document =
          JsonDocument::parse(line, golden + ":" + std::to_string(number), ErrorKind::kInternal);
      ++lines;
      if (differences < 5 && !is_equal(encode_row(tokenizer, document.root()), document.root())) {
        ++differences;
        ADD_FAILURE() << golden << ":" << number << " differs: " << line.substr(0, 400);
      }
    });
    EXPECT_GE(lines, 100);
  }
};

TEST_P(TokenizerGolden, SingleTexts) { compare(".jsonl.gz"); }
TEST_P(TokenizerGolden, PairsTruncationAndNoSpecialTokens) { compare(".extra.jsonl.gz"); }

INSTANTIATE_TEST_SUITE_P(All, TokenizerGolden,
                         testing::Values("bert-base-uncased", "jina-v2", "xlm-roberta", "qwen2.5"));

/// A tokenizer.json put together from the parts of a row of the components' golden file.
std::string component_file(const Json& row, const Json& models) {
  std::string json = R"({"version":"1.0")";
  for (const char* part : {"added_tokens", "normalizer", "pre_tokenizer", "post_processor"}) {
    if (const auto value = row.find(part)) json += fmt::format(R"(,"{}":{})", part, value->dump());
  }
  return json + R"(,"model":)" + models.at(row.at("model").as_string()).dump() + "}";
}

TEST(TokenizerComponents, EqualTheReference) {
  const std::string path = JINA_SOURCE_DIR "/tests/golden/tokenizer_components.jsonl.gz";
  std::optional<JsonDocument> head;
  int cases = 0;
  test::for_each_line(test::read_gzip(path), [&](size_t number, const std::string& line) {
    JsonDocument document = JsonDocument::parse(line, path + ":" + std::to_string(number), ErrorKind::kInternal);
    if (number == 1) {
      head.emplace(std::move(document));
      return;
    }
    const Json row = document.root();
    const std::string name(row.at("name").as_string());
    const Tokenizer tokenizer = Tokenizer::parse(component_file(row, head->root().at("models")), name);
    int differences = 0;
    for (const Json& item : row.at("cases").as_array()) {
      ++cases;
      const Encoding encoding = encode_row(tokenizer, item);
      if (is_equal(encoding, item) || ++differences > 2) continue;
      ADD_FAILURE() << name << ": " << item.dump() << "\n  ids " << testing::PrintToString(encoding.ids) << "\n  off "
                    << testing::PrintToString(flattened(encoding.offsets));
    }
  });
  EXPECT_GT(cases, 3000);
}

TEST(TokenizerModels, TinyCheckpointsGiveTheIdsOfTheirGoldens) {
  for (const char* name : {"bert-tiny-cls", "bert-tiny-mean", "v2-base-12h", "v2-code-6h", "v2-small-8h", "v3-tiny"}) {
    const test::Golden golden(name);
    const Tokenizer tokenizer = Tokenizer::load(golden.model_directory() + "/tokenizer.json");
    for (const Json& text : golden.expected().at("texts").as_array()) {
      if (!text.find("ids") || !text.find("text")) continue;
      const std::vector<int32_t> wanted = test::int_list(text.at("ids"));
      const EncodeOptions options{.max_length =
                                      static_cast<int64_t>(wanted.size())};  // some are cut to the model's limit
      EXPECT_EQ(tokenizer.encode(text.at("text").as_string(), options).ids, wanted) << name << ": " << text.dump();
    }
  }
}

constexpr std::string_view kSmall = R"({
  "added_tokens": [
    {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
    {"id": 9, "content": "<new>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                 "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 1]},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
            "vocab": {"[UNK]": 0, "[SEP]": 1, "[CLS]": 2, "play": 3, "##ing": 4, "##ed": 5}}})";

Tokenizer parse_changed(std::string_view from, std::string_view to) {
  std::string json(kSmall);
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return Tokenizer::parse(json.replace(at, from.size(), to), "small.json");
}

/// The error that reading the small tokenizer gives when `from` is replaced by `to`.
std::string error_of(std::string_view from, std::string_view to) {
  try {
    parse_changed(from, to);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    return error.what();
  }
  return "no error";
}

TEST(Tokenizer, EncodesWithTemplateOffsetsAndMask) {
  const Tokenizer tokenizer = Tokenizer::parse(kSmall, "small.json");
  const Encoding encoding = tokenizer.encode("Pl\u00e1ying [CLS]");
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{2, 3, 4, 2, 1}));
  EXPECT_EQ(encoding.offsets, (std::vector<ByteSpan>{{0, 0}, {0, 5}, {5, 8}, {9, 14}, {0, 0}}));
  EXPECT_EQ(encoding.special, (std::vector<uint8_t>{1, 0, 0, 0, 1}));
  EXPECT_EQ(encoding.word_starts, (std::vector<uint8_t>{1, 1, 0, 1, 1}));
  EXPECT_EQ(tokenizer.encode_pair("played", "play").word_starts, (std::vector<uint8_t>{1, 1, 0, 1, 1, 1}));
  EXPECT_EQ(tokenizer.encode("playing played", {.max_length = 4}).word_starts, (std::vector<uint8_t>{1, 1, 0, 1}));
  EXPECT_EQ(tokenizer.encode_pair("played", "play").type_ids, (std::vector<int32_t>{0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(tokenizer.special_tokens(), 2);
}

TEST(Tokenizer, TokensHaveStringsAndIdsBothWays) {
  const Tokenizer tokenizer = Tokenizer::parse(kSmall, "small.json");
  EXPECT_EQ(tokenizer.vocab_size(), 7);  // an added token that the vocabulary lacks takes the next id, as in HF
  EXPECT_EQ(tokenizer.token(6), "<new>");
  EXPECT_EQ(tokenizer.token(4), "##ing");
  EXPECT_EQ(tokenizer.token(7), "");
  EXPECT_EQ(tokenizer.token(-1), "");
  EXPECT_EQ(tokenizer.id("<new>"), 6);
  EXPECT_TRUE(tokenizer.is_added(6));
  EXPECT_TRUE(tokenizer.is_added(2));
  EXPECT_FALSE(tokenizer.is_added(1));
  EXPECT_FALSE(tokenizer.is_added(-1));
  EXPECT_EQ(tokenizer.id("play"), 3);
  EXPECT_EQ(tokenizer.id("nothing"), std::nullopt);
}

TEST(Tokenizer, TruncatesToTheTemplateAndRefusesLess) {
  const Tokenizer tokenizer = Tokenizer::parse(kSmall, "small.json");
  EXPECT_EQ(tokenizer.encode("play play", {.max_length = 3}).ids, (std::vector<int32_t>{2, 3, 1}));
  EXPECT_EQ(tokenizer.encode("play play", {.max_length = 2}).ids, (std::vector<int32_t>{2, 1}));
  EXPECT_EQ(tokenizer.encode("play play", {.add_special_tokens = false, .max_length = 1}).ids, std::vector<int32_t>{3});
  EXPECT_THROW(tokenizer.encode("play", {.max_length = 1}), Error);
  EXPECT_THROW(tokenizer.encode("play", {.max_length = -5}), Error);
}

TEST(Tokenizer, UnknownAndBrokenComponentsAreNamedWithTheFile) {
  EXPECT_EQ(error_of("\"BertNormalizer\"", "\"Magic\""), "small.json: unknown normalizer 'Magic'");
  EXPECT_EQ(error_of("\"BertPreTokenizer\"", "\"Magic\""), "small.json: unknown pre-tokenizer 'Magic'");
  EXPECT_EQ(error_of("\"BertProcessing\"", "\"Magic\""), "small.json: unknown post-processor 'Magic'");
  EXPECT_EQ(error_of("\"WordPiece\"", "\"Magic\""), "small.json: unknown model type 'Magic'");
  EXPECT_EQ(error_of("\"lowercase\": true", "\"lowercase\": 1"),
            "small.json: 'lowercase': expected true or false, found an integer");
  EXPECT_EQ(error_of("\"unk_token\": \"[UNK]\"", "\"unk_token\": \"?\""),
            "small.json: 'unk_token': expected a token of the vocabulary, found a string");
  EXPECT_NE(error_of("\"play\": 3", "\"play\": 3000000000"), "no error");
  EXPECT_NE(error_of("\"play\": 3", "\"play\": -3"), "no error");
  EXPECT_NE(error_of("\"sep\": [\"[SEP]\", 1]", "\"sep\": [\"[SEP]\"]"), "no error");
  EXPECT_NE(error_of("{\"type\": \"BertPreTokenizer\"}",
                     R"({"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Isolated", "invert": false})"),
            "no error");
}

TEST(Tokenizer, AbsentFilesAreNotFound) {
  try {
    Tokenizer::load("/nonexistent/tokenizer.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
}

TEST(Tokenizer, ConcurrentEncodesAreEqual) {
  const Tokenizer tokenizer = Tokenizer::load(JINA_SOURCE_DIR "/tests/golden/models/v2-code-6h/model/tokenizer.json");
  const std::string text = "def add(left, right):\n    return left + right  # na\u00efve";
  const std::vector<int32_t> wanted = tokenizer.encode(text).ids;
  std::vector<std::thread> threads;
  std::atomic<int> differences = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) differences += tokenizer.encode(text).ids != wanted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differences, 0);
}

}  // namespace
}  // namespace jina
