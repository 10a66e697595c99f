#include "training/data/evaluation_texts.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temporary_directory.h"
#include "training/data/normalized_words.h"

namespace jina {
namespace {

/// "PREFIX1 PREFIX2 …": `count` words that no other prefix gives.
std::string words(const std::string& prefix, int count, int first = 1) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += (text.empty() ? "" : " ") + prefix + std::to_string(i);
  return text;
}

Overlap find(std::string_view text, const EvaluationTexts& texts) { return find_overlap(normalize_words(text), texts); }

TEST(EvaluationTexts, EqualTextsOfThreeWordsOrMore) {
  EvaluationTexts texts;
  add_evaluation_text("Where is it?", texts);
  add_evaluation_text("two words", texts);
  EXPECT_EQ(texts.count, 1);
  EXPECT_EQ(find("where, IS it", texts), Overlap::kEqual);
  EXPECT_EQ(find("where is it now", texts), Overlap::kNone);
  EXPECT_EQ(find("two words", texts), Overlap::kNone);
}

TEST(EvaluationTexts, EightWordsOfAShortText) {
  EvaluationTexts texts;
  add_evaluation_text(words("w", 60), texts);
  EXPECT_EQ(find("before " + words("w", 8, 53) + " after", texts), Overlap::kShortText);
  EXPECT_EQ(find("before " + words("w", 7, 53) + " after", texts), Overlap::kNone);
  EXPECT_EQ(find(words("w", 4) + " x " + words("w", 4, 5), texts), Overlap::kNone) << "not in a row";
}

TEST(EvaluationTexts, ThirteenWordsOfALongText) {
  EvaluationTexts texts;
  add_evaluation_text(words("w", 61), texts);
  EXPECT_EQ(find("before " + words("w", 13, 49) + " after", texts), Overlap::kLongText);
  EXPECT_EQ(find("before " + words("w", 12, 49) + " after", texts), Overlap::kNone);
}

TEST(EvaluationTexts, EveryTextOfEveryFormatCounts) {
  const test::TemporaryDirectory directory;
  directory.write("a.jsonl.gz", test::gzip("{\"id\": 3, \"deep\": {\"list\": [\"json lines text\"]}}\n\n"));
  directory.write("b.json", "{\"all\":\n[[\"whole json text\", 5],\n null]}");
  directory.write("c.csv", "x,text of header\n1,\"quoted, csv text\"\n");
  directory.write("d.tsv", "id\ttabbed text here\n7\t\"a stray quote\n");
  directory.write("e.txt", "plain text line\nbroken \xFF bytes\n");
  std::vector<std::string> files;
  for (const std::string name : {"a.jsonl.gz", "b.json", "c.csv", "d.tsv", "e.txt"})
    files.push_back(directory.path(name));
  const EvaluationTexts texts = read_evaluation_texts(files);
  for (const std::string text : {"json lines text", "whole json text", "text of header", "quoted csv text",
                                 "tabbed text here", "a stray quote", "plain text line"}) {
    EXPECT_EQ(find(text, texts), Overlap::kEqual) << text;
  }
  EXPECT_EQ(texts.count, 7);
}

TEST(EvaluationTexts, FilesWithoutTextsAreErrors) {
  const test::TemporaryDirectory directory;
  directory.write("ids.txt", "1\n2\n");
  directory.write("broken.jsonl", "{\"a\": \"three words here\"}\n{\n");
  test::expect_error(ErrorKind::kInvalidInput, "ids.txt: expected evaluation texts of three words or more",
                     [&] { read_evaluation_texts({directory.path("ids.txt")}); });
  test::expect_error(ErrorKind::kInvalidInput,
                     "broken.jsonl:2: ", [&] { read_evaluation_texts({directory.path("broken.jsonl")}); });
  test::expect_error(ErrorKind::kNotFound, "absent.csv",
                     [&] { read_evaluation_texts({directory.path("absent.csv")}); });
}

}  // namespace
}  // namespace jina
