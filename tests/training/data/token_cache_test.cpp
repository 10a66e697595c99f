#include "training/data/token_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "support/expect_error.h"
#include "support/temporary_directory.h"
#include "support/tiny_tokenizer.h"

namespace jina {
namespace {

class TokenCache : public testing::Test {
 protected:
  TokenCache() {
    directory_.write("a.jsonl", "{}");
    directory_.write("eval.txt", "x");
    request_.directory = directory_.path("made/when/absent");
    request_.tokenizer = test::tiny_tokenizer_path("bert-tiny-mean");
    request_.query_prompt = "query: ";
    request_.positive_prompt = "document: ";
    request_.max_tokens = 12;
    data_.name = "data";
    data_.files = {directory_.path("a.jsonl")};
    data_.columns = {{Column::kQuery, "q"}, {Column::kPositive, "p"}};
    recipe_.filter.decontaminate = {directory_.path("eval.txt")};
  }

  std::string key() const { return token_cache_key(request_, data_, recipe_); }

  /// Rows whose texts meet in both roles.
  static DataRows make_rows() {
    DataRows rows;
    for (const std::string text : {"what is it", "a long answer that says all and more than all of it", "no"}) {
      rows.texts.add(text);
    }
    rows.queries = {0, 2};
    rows.positives = {1, 0};
    rows.negative_offsets = {0, 1, 3};
    rows.negatives = {2, 1, 2};
    rows.labels = {0, 1};
    rows.label_names = {"x", "y"};
    return rows;
  }

  TokenisedRows open(int threads = 2) {
    ThreadPool pool(threads);
    return open_token_cache(
        request_, std::string(64, 'a'),
        [&](RowNotes& notes) {
          ++made_;
          notes = {{{"filter", 2}}, {"made"}};
          return make_rows();
        },
        tokenizer_, pool);
  }
  std::string file() const { return request_.directory + "/" + std::string(64, 'a') + ".tokens"; }

  test::TemporaryDirectory directory_;
  TokenCacheRequest request_;
  DataRecipe data_;
  Recipe recipe_;
  Tokenizer tokenizer_ = test::tiny_tokenizer("bert-tiny-mean");
  int made_ = 0;
};

std::vector<int32_t> list(std::span<const int32_t> ids) { return {ids.begin(), ids.end()}; }

TEST_F(TokenCache, TextsCarryThePromptOfTheirRole) {
  const TokenisedRows rows = open();
  const EncodeOptions options{.max_length = 12};
  const auto expect = [&](int32_t text, const std::string& prompted) {
    EXPECT_EQ(list(rows.tokens(text)), tokenizer_.encode(prompted, options).ids) << prompted;
  };
  expect(rows.queries[0], "query: what is it");
  expect(rows.positives[0], "document: a long answer that says all and more than all of it");
  expect(rows.positives[1], "document: what is it");
  expect(rows.negatives[0], "document: no");
  expect(rows.queries[1], "query: no");
  EXPECT_EQ(rows.texts(), 5) << "each text once per role";
  EXPECT_EQ(rows.negatives[0], rows.negatives[2]);
  EXPECT_EQ(rows.originals[static_cast<size_t>(rows.queries[0])],
            rows.originals[static_cast<size_t>(rows.positives[1])]);
  EXPECT_EQ(rows.length(rows.positives[0]), 12) << "cut";
  EXPECT_EQ(rows.label_names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(rows.notes, (RowNotes{{{"filter", 2}}, {"made"}}));
}

TEST_F(TokenCache, EqualPromptsShareTheirTexts) {
  request_.query_prompt = request_.positive_prompt;
  EXPECT_EQ(open().texts(), 3);
}

TEST_F(TokenCache, WordStartsStandBesideTheTokens) {
  const TokenisedRows rows = open();
  const Encoding encoding = tokenizer_.encode("query: what is it", {.max_length = 12});
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    EXPECT_EQ(rows.starts_word(rows.queries[0], static_cast<int64_t>(i)), encoding.word_starts[i] != 0) << i;
  }
}

TEST_F(TokenCache, IsReadTheSecondTimeAndMadeAgainWhenBroken) {
  const std::vector<int32_t> ids = list(open().ids);
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(list(open().ids), ids);
  EXPECT_EQ(made_, 1);
  const std::string good = read_file(file());
  for (const std::string& broken :
       {good.substr(0, good.size() / 2), std::string(), good.substr(0, good.size() - 1) + "x"}) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << broken;
    const int before = made_;
    EXPECT_EQ(list(open().ids), ids);
    EXPECT_EQ(made_, before + 1);
    EXPECT_EQ(read_file(file()), good) << "the same bytes each time";
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(request_.directory), {}), 1) << "nothing is left over";
}

TEST_F(TokenCache, AnOldMappingOutlivesTheNewFile) {
  const TokenisedRows old = open();
  const std::vector<int32_t> ids = list(old.ids);
  std::filesystem::remove(file());
  open();
  EXPECT_EQ(list(old.ids), ids);
}

TEST_F(TokenCache, ThreadsDoNotChangeTheBytes) {
  open(1);
  const std::string one = read_file(file());
  std::filesystem::remove(file());
  open(4);
  EXPECT_EQ(read_file(file()), one);
}

TEST_F(TokenCache, KeyChangesWithEverythingTheTokensDependOn) {
  std::set<std::string> keys{key()};
  size_t changes = 1;
  const auto expect_new = [&](const char* what) {
    ++changes;
    EXPECT_TRUE(keys.insert(key()).second) << what;
  };
  EXPECT_EQ(key(), key());
  request_.query_prompt = "q: ";
  expect_new("query prompt");
  std::swap(request_.query_prompt, request_.positive_prompt);
  expect_new("positive prompt");
  request_.max_tokens = 13;
  expect_new("cut");
  request_.has_special_tokens = false;
  expect_new("template");
  request_.tokenizer = test::tiny_tokenizer_path("v3-tiny");
  expect_new("tokenizer");
  data_.columns[Column::kPositive] = "other";
  expect_new("columns");
  data_.most_rows = 5;
  expect_new("row limit");
  recipe_.filter.substring = 0.7;
  expect_new("filter");
  recipe_.filter.near_duplicates = false;
  expect_new("near-duplicates");
  directory_.write("eval.txt", "more");
  expect_new("evaluation file");
  directory_.write("a.jsonl", "{} ");
  expect_new("data file");
  std::filesystem::last_write_time(data_.files[0],
                                   std::filesystem::file_time_type::min() + std::chrono::hours(1'000'000));
  expect_new("modification time");
  data_.is_filtered = false;
  expect_new("not filtered");
  recipe_.filter.substring = 0.1;
  EXPECT_TRUE(keys.contains(key())) << "settings that are not applied do not count";
  EXPECT_EQ(keys.size(), changes);
  data_.files = {"absent.jsonl"};
  test::expect_error(ErrorKind::kNotFound, "absent.jsonl", [&] { key(); });
}

TEST_F(TokenCache, KeyOfRowsThatAreMade) {
  for (const char* name : {"one", "two"}) {
    recipe_.data.push_back(data_);
    recipe_.data.back().name = name;
  }
  recipe_.data[1].files = {directory_.path("eval.txt")};
  data_.files.clear();
  data_.failures = FailureRecipe{FailureKind::kLookalike, {"one"}};
  data_.is_filtered = false;
  std::set<std::string> keys{key()};
  const auto expect_new = [&](const char* what) { EXPECT_TRUE(keys.insert(key()).second) << what; };
  data_.failures->kind = FailureKind::kPolar;
  expect_new("kind");
  data_.failures->is_held_out = true;
  expect_new("held out");
  recipe_.seed = 2;
  expect_new("seed");
  data_.most_rows = 7;
  expect_new("rows");
  data_.failures->from = {"two"};
  expect_new("other data");
  data_.failures->from = {"two", "one"};
  expect_new("more data");
  directory_.write("a.jsonl", "{} ");
  expect_new("a file that they are made from");
  recipe_.filter.substring = 0.1;
  expect_new("the filter of their data");
  recipe_.data[0].is_filtered = false;
  expect_new("data that are not filtered");
}

TEST_F(TokenCache, WhatMakeRowsThrowsPassesAndLeavesNothing) {
  ThreadPool pool(1);
  test::expect_error(ErrorKind::kInvalidInput, "bad row", [&] {
    open_token_cache(
        request_, key(), [](RowNotes&) -> DataRows { throw Error(ErrorKind::kInvalidInput, "bad row"); }, tokenizer_,
        pool);
  });
  EXPECT_FALSE(std::filesystem::exists(request_.directory));
}

}  // namespace
}  // namespace jina
