#include "text/unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "support/shared_files.h"

namespace jina {

bool operator==(const ModelToken& a, const ModelToken& b) {
  return a.id == b.id && a.begin == b.begin && a.end == b.end;
}

void PrintTo(const ModelToken& token, std::ostream* out) {
  *out << token.id << " [" << token.begin << ", " << token.end << ")";
}

namespace {

const std::string kGolden = JINA_SOURCE_DIR "/tests/golden/";

struct LoadedModel {
  explicit LoadedModel(std::string_view json)
      : document(JsonDocument::parse(json, "tokenizer.json", ErrorKind::kModelFile)),
        model(make_unigram(document.root())) {}

  std::vector<ModelToken> tokens(std::string_view text) const {
    std::vector<ModelToken> out;
    model->tokenize(text, out);
    return out;
  }
  std::vector<int32_t> ids(std::string_view text) const {
    std::vector<int32_t> out;
    for (const ModelToken& token : tokens(text)) out.push_back(token.id);
    return out;
  }

  JsonDocument document;
  std::unique_ptr<TokenModel> model;
};

std::string error_of(std::string_view json) {
  try {
    const LoadedModel model(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    return error.what();
  }
  return "no error";
}

using Tokens = std::vector<ModelToken>;
using Ids = std::vector<int32_t>;

TEST(UnigramGolden, TokensAreThoseOfTheReference) {
  const JsonDocument document = JsonDocument::parse_file(kGolden + "models/v3-tiny/model/tokenizer.json");
  const std::unique_ptr<TokenModel> model = make_unigram(document.root().at("model"));
  int cases = 0;
  test::for_each_line(read_file(kGolden + "text/unigram_cases.jsonl"), [&](size_t number, const std::string& line) {
    const JsonDocument row = JsonDocument::parse(line, std::to_string(number), ErrorKind::kInternal);
    Tokens expected;
    const std::vector<Json> values = row.root().at("tokens").as_array();
    for (size_t i = 0; i + 2 < values.size(); i += 3) {
      expected.push_back({static_cast<int32_t>(values[i].as_int()), static_cast<uint32_t>(values[i + 1].as_int()),
                          static_cast<uint32_t>(values[i + 2].as_int())});
    }
    Tokens tokens;
    model->tokenize(row.root().at("text").as_string(), tokens);
    EXPECT_EQ(tokens, expected) << line;
    ++cases;
  });
  EXPECT_GE(cases, 100);
}

// Models and expectations of the reference's own tests.
TEST(Unigram, BestPathWins) {
  const LoadedModel model(R"({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["ab", 0.0], ["cd", -0.1],
      ["abc", -0.2], ["a", -0.3], ["b", -0.4], ["c", -0.5], ["ABC", -0.5], ["abcdabcd", 20.0], ["q", 20.5], ["r", 20.5],
      ["qr", -0.5]]})");
  EXPECT_EQ(model.ids("abc"), (Ids{3}));
  EXPECT_EQ(model.ids("abcd"), (Ids{1, 2}));
  EXPECT_EQ(model.ids("abcc"), (Ids{3, 6}));
  EXPECT_EQ(model.ids("abABCcd"), (Ids{1, 7, 2}));
  EXPECT_EQ(model.ids("ababcdabcdcd"), (Ids{1, 8, 2}));
  EXPECT_EQ(model.ids("abqrcd"), (Ids{1, 9, 10, 2}));
  EXPECT_EQ(model.tokens("AB"), (Tokens{{0, 0, 2}}));  // unknown characters in a row are one token
  EXPECT_EQ(model.tokens("xyz東京abé"), (Tokens{{0, 0, 9}, {1, 9, 11}, {0, 11, 13}}));
  EXPECT_EQ(model.ids(""), Ids{});
}

TEST(Unigram, ByteFallback) {
  const std::string vocab = R"([["<unk>", 0.0], ["<0xC3>", -0.01], ["<0xA9>", -0.03], ["a", -0.1]])";
  const LoadedModel model(R"({"unk_id": 0, "byte_fallback": true, "vocab": )" + vocab + "}");
  EXPECT_EQ(model.tokens("aéa"), (Tokens{{3, 0, 1}, {1, 1, 3}, {2, 1, 3}, {3, 3, 4}}));
  EXPECT_EQ(model.tokens("éé"), (Tokens{{1, 0, 4}, {2, 0, 4}, {1, 0, 4}, {2, 0, 4}}));
  EXPECT_EQ(model.tokens("?é"), (Tokens{{0, 0, 3}}));  // one byte has no piece: unknown as a whole
  const LoadedModel without(R"({"unk_id": 0, "vocab": )" + vocab + "}");
  EXPECT_EQ(without.tokens("é"), (Tokens{{0, 0, 2}}));
}

TEST(Unigram, FusedUnknownsAreLookedUpAsAWhole) {
  // Each unknown character scores 20, so that two of them beat the piece of their text.
  const LoadedModel model(R"({"unk_id": 0, "vocab": [["<unk>", 50.0], ["xy", 30.0]]})");
  EXPECT_EQ(model.tokens("xy"), (Tokens{{1, 0, 2}}));
  EXPECT_EQ(model.tokens("xyx"), (Tokens{{0, 0, 3}}));
  // A literal "<unk>" takes part too.
  const LoadedModel other(R"({"unk_id": 0, "vocab": [["<unk>", 0.0], ["xy", -100.0], ["a", -1.0]]})");
  EXPECT_EQ(other.tokens("x<unk>y"), (Tokens{{0, 0, 7}}));
  EXPECT_EQ(other.tokens("a<unk>a"), (Tokens{{2, 0, 1}, {0, 1, 6}, {2, 6, 7}}));
}

TEST(Unigram, TheFirstOfEqualPathsStays) {
  const LoadedModel model(R"({"unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["aa", -2], ["aab", -4], ["b", -1]]})");
  EXPECT_EQ(model.ids("aa"), (Ids{2}));      // found from the start, before a + a
  EXPECT_EQ(model.ids("aaa"), (Ids{1, 2}));  // a + aa reaches the end first
  EXPECT_EQ(model.ids("aab"), (Ids{2, 4}));  // -3 beats -4
}

TEST(Unigram, ScoresAreReadAsTheReferenceReadsThem) {
  // The digits rounded first and divided then; with the nearest doubles this would be "aaa" "aaa" "aaa" "a".
  const LoadedModel model(R"({"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -8.309243620658268],
      ["aa", -10.031767468460622], ["aaa", -11.151689601788373]]})");
  EXPECT_EQ(model.ids("aaaaaaaaaa"), (Ids{1, 3, 3, 3}));
  const LoadedModel other(R"({"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -7.468038881287331],
      ["aa", -9.948651745561293], ["aaa", -10.166240024764239]]})");
  EXPECT_EQ(other.ids("aaaaaaaa"), (Ids{3, 3, 2}));
}

TEST(Unigram, LastOfEqualPiecesCounts) {
  const LoadedModel model(R"({"unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["b", -1], ["a", -9], ["", -1]]})");
  EXPECT_EQ(model.ids("ab"), (Ids{3, 2}));
  EXPECT_EQ(model.model->vocab_size(), 5);
  EXPECT_EQ(model.model->id("a"), 3);
  EXPECT_EQ(model.model->id(""), 4);
  EXPECT_EQ(model.model->id("c"), std::nullopt);
  EXPECT_EQ(model.model->token(1), "a");
  EXPECT_EQ(model.model->token(4), "");
  EXPECT_EQ(model.model->token(5), "");
  EXPECT_EQ(model.model->token(-1), "");
}

TEST(Unigram, LongTextsGiveTheSameTokensAsShortOnes) {
  const JsonDocument document = JsonDocument::parse_file(kGolden + "models/v3-tiny/model/tokenizer.json");
  const std::unique_ptr<TokenModel> model = make_unigram(document.root().at("model"));
  // No piece crosses the seam and the reference cuts every repetition alike (checked with 2,000 of them).
  const std::string part = "▁the▁house\u0378\u0378<unk>▁是▁hahaha▁";
  std::vector<ModelToken> once;
  model->tokenize(part, once);
  ASSERT_FALSE(once.empty());
  std::string text;
  std::vector<ModelToken> expected;
  for (uint32_t i = 0; i < 2000; ++i) {
    const auto shift = static_cast<uint32_t>(text.size());
    for (const ModelToken& token : once) expected.push_back({token.id, token.begin + shift, token.end + shift});
    text += part;
  }
  std::vector<ModelToken> tokens = {{7, 1, 2}};
  model->tokenize(text, tokens);
  ASSERT_EQ(tokens.size(), expected.size() + 1);
  EXPECT_EQ(tokens.front(), (ModelToken{7, 1, 2}));  // appended, what was there stays
  tokens.erase(tokens.begin());
  EXPECT_EQ(tokens, expected);
}

TEST(Unigram, MissingUnknownIsAnErrorOnlyWhenNeeded) {
  const LoadedModel model(R"({"vocab": [["a", -1], ["éb", -1], ["é", -3]]})");
  EXPECT_EQ(model.ids("aéb"), (Ids{0, 1}));
  try {
    model.tokens("a中");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    EXPECT_STREQ(error.what(), "tokenizer.json: no piece for the character '中', and the model has no 'unk_id'");
  }
  EXPECT_EQ(error_of(R"({"vocab": [], "unk_id": null})"), "no error");
}

TEST(Unigram, BrokenModelsAreNamed) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of(R"({"unk_id": 0})"), HasSubstr("field 'vocab' is missing"));
  EXPECT_THAT(error_of(R"({"vocab": {"a": 1}})"), HasSubstr("'vocab': expected an array, found an object"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", "b"]]})"), HasSubstr("'vocab': expected pairs of a piece and its score"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", 1, 2]]})"), HasSubstr("expected pairs"));
  EXPECT_THAT(error_of(R"({"vocab": ["a"]})"), HasSubstr("expected pairs"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", 1]], "unk_id": 1})"),
              HasSubstr("'unk_id': expected the id of one of the 1"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", 1]], "unk_id": -1})"), HasSubstr("'unk_id'"));
  EXPECT_THAT(error_of(R"({"vocab": [], "unk_id": 0})"), HasSubstr("'unk_id'"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", 1]], "unk_id": "a"})"), HasSubstr("'unk_id': expected an integer"));
  EXPECT_THAT(error_of(R"({"vocab": [["a", 1]], "byte_fallback": 1})"), HasSubstr("'byte_fallback'"));
}

}  // namespace
}  // namespace jina
