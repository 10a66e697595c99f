#include "training/data/token_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace jina {
namespace {

const std::string kKey(64, 'k');

TokenFileContent make_content() {
  TokenFileContent content;
  content.queries = {0, 2};
  content.positives = {1, 1};
  content.negative_offsets = {0, 1, 3};
  content.negatives = {2, 0, 1};
  content.scores = {0.5F, -1};
  content.labels = {1, 0};
  content.originals = {7, 8, 7};
  content.offsets = {0, 3, 3, 5};
  content.ids = {10, 11, 12, 13, 14};
  content.word_starts = {0b01101};
  content.label_names = {"dog", "", "a\nb"};
  content.notes = {{{"one filter", 3}, {"other", 5}}, {"a line"}};
  return content;
}

class TokenFile : public testing::Test {
 protected:
  void write(const TokenFileContent& content) {
    AtomicFile file(path());
    write_token_file(file, kKey, content);
    file.commit();
  }
  std::string path() const { return directory_.path("file.tokens"); }
  void replace(const std::string& bytes) const { directory_.write("file.tokens", bytes); }

  test::TemporaryDirectory directory_;
};

template <typename Value>  // a number
std::vector<Value> list(std::span<const Value> values) {
  return {values.begin(), values.end()};
}

TEST_F(TokenFile, GivesBackWhatWasWritten) {
  const TokenFileContent content = make_content();
  write(content);
  const auto rows = read_token_file(path(), kKey);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(list(rows->queries), content.queries);
  EXPECT_EQ(list(rows->positives), content.positives);
  EXPECT_EQ(list(rows->negative_offsets), content.negative_offsets);
  EXPECT_EQ(list(rows->negatives), content.negatives);
  EXPECT_EQ(list(rows->scores), content.scores);
  EXPECT_EQ(list(rows->labels), content.labels);
  EXPECT_EQ(list(rows->originals), content.originals);
  EXPECT_EQ(list(rows->tokens(0)), (std::vector<int32_t>{10, 11, 12}));
  EXPECT_TRUE(rows->tokens(1).empty());
  EXPECT_EQ(list(rows->tokens(2)), (std::vector<int32_t>{13, 14}));
  EXPECT_EQ(rows->label_names, content.label_names);
  EXPECT_EQ(rows->notes, content.notes);
  EXPECT_EQ(rows->rows(), 2);
  EXPECT_EQ(rows->texts(), 3);
  EXPECT_TRUE(rows->starts_word(0, 0));
  EXPECT_FALSE(rows->starts_word(0, 1));
  EXPECT_TRUE(rows->starts_word(2, 0));
  EXPECT_FALSE(rows->starts_word(2, 1));
}

TEST_F(TokenFile, EmptyColumnsStayEmpty) {
  write({});
  const auto rows = read_token_file(path(), kKey);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->rows(), 0);
  EXPECT_EQ(rows->notes, RowNotes());
}

TEST_F(TokenFile, ChangedBytesAreFound) {
  write(make_content());
  const std::string good = read_file(path());
  for (size_t i = 0; i < good.size(); i += 11) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    replace(bad);
    EXPECT_FALSE(read_token_file(path(), kKey).has_value()) << "byte " << i;
  }
  replace(good);
  EXPECT_TRUE(read_token_file(path(), kKey).has_value());
}

TEST_F(TokenFile, LossAtTheEndIsFound) {
  write(make_content());
  const std::string good = read_file(path());
  for (size_t size = 0; size < good.size(); size += 41) {
    replace(good.substr(0, size));
    EXPECT_FALSE(read_token_file(path(), kKey).has_value()) << size << " bytes";
  }
  replace(good + "x");
  EXPECT_FALSE(read_token_file(path(), kKey).has_value());
}

TEST_F(TokenFile, AnotherKeyIsNotTaken) {
  write(make_content());
  EXPECT_FALSE(read_token_file(path(), std::string(64, 'j')).has_value());
}

}  // namespace
}  // namespace jina
