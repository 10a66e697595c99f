#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/shared_files.h"

namespace jina {
namespace {

std::vector<int32_t> integers(const Json& json) {
  std::vector<int32_t> values;
  for (const Json& value : json.as_array()) values.push_back(static_cast<int32_t>(value.as_int()));
  return values;
}

std::vector<int32_t> flattened(const std::vector<ByteSpan>& spans) {
  std::vector<int32_t> values;
  for (const ByteSpan& span : spans) {
    values.push_back(static_cast<int32_t>(span.begin));
    values.push_back(static_cast<int32_t>(span.end));
  }
  return values;
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
      if (differences < 5 && !is_equal(tokenizer, document.root())) {
        ++differences;
        ADD_FAILURE() << golden << ":" << number << " differs: " << line.substr(0, 400);
      }
    });
    EXPECT_GE(lines, 100);
  }

  static bool is_equal(const Tokenizer& tokenizer, const Json& row) {
    const std::string kind = row.string_or("kind", "single");
    EncodeOptions options;
    options.add_special_tokens = kind != "no-special";
    options.max_length = row.int_or("max_length", 0);
    const std::string_view text = row.find("text") ? row.at("text").as_string() : row.at("a").as_string();
    const Encoding encoding = kind == "pair" ? tokenizer.encode_pair(text, row.at("b").as_string(), options)
                                             : tokenizer.encode(text, options);
    if (encoding.ids != integers(row.at("ids")) || flattened(encoding.offsets) != integers(row.at("off"))) return false;
    if (const auto type_ids = row.find("type_ids"); type_ids && encoding.type_ids != integers(*type_ids)) return false;
    if (const auto special = row.find("special")) {
      const std::vector<int32_t> mask(encoding.special.begin(), encoding.special.end());
      if (mask != integers(*special)) return false;
    }
    return encoding.special.size() == encoding.ids.size() && encoding.type_ids.size() == encoding.ids.size();
  }
};

TEST_P(TokenizerGolden, SingleTexts) {
  compare(".jsonl.gz");
}
TEST_P(TokenizerGolden, PairsTruncationAndNoSpecialTokens) {
  compare(".extra.jsonl.gz");
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerGolden,
                         testing::Values("bert-base-uncased", "jina-v2", "xlm-roberta", "qwen2.5"));

}  // namespace
}  // namespace jina
