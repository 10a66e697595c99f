#include "training/data/rows.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using Columns = std::map<Column, std::string>;
using Texts = std::vector<std::string>;

const Columns kTriplet{{Column::kQuery, "q"}, {Column::kPositive, "p"}, {Column::kNegatives, "n"}};
const Columns kGraded{{Column::kQuery, "a"}, {Column::kPositive, "b"}, {Column::kScore, "s"}};
const Columns kLabelled{{Column::kText, "t"}, {Column::kLabel, "l"}};

class Rows : public testing::Test {
 protected:
  DataRecipe recipe(const std::string& file, const std::string& content, const Columns& columns) {
    directory_.write(file, content);
    DataRecipe recipe;
    recipe.name = "data";
    recipe.files = {directory_.path(file)};
    recipe.columns = columns;
    return recipe;
  }
  DataRows read(const std::string& file, const std::string& content, const Columns& columns) {
    return read_data_rows(recipe(file, content, columns));
  }
  void expect_rejected(std::string_view message, const std::string& file, const std::string& content,
                       const Columns& columns) {
    test::expect_error(ErrorKind::kInvalidInput, message, [&] { read(file, content, columns); });
  }

  test::TemporaryDirectory directory_;
};

Texts texts_of(const DataRows& rows, const std::vector<int32_t>& texts) {
  Texts result;
  for (const int32_t text : texts) result.emplace_back(rows.texts[text]);
  return result;
}

TEST_F(Rows, JsonLinesWithOneListedOrNoNegatives) {
  const std::string text =
      "\xEF\xBB\xBF{\"q\": \"one\", \"p\": \"two\", \"n\": \"three\", \"other\": 5}\r\n"
      "\n"
      "{\"q\": \"four\", \"p\": \"two\", \"n\": [\"three\", \"five\", \"\", \"two\"]}\n"
      "{\"q\": \"six\", \"p\": \"seven\"}\n"
      "{\"q\": \"eight\", \"p\": \"one\", \"n\": null}";
  for (const bool is_packed : {false, true}) {
    const DataRows rows = is_packed ? read("r.jsonl.gz", test::gzip(text), kTriplet) : read("r.jsonl", text, kTriplet);
    EXPECT_EQ(texts_of(rows, rows.queries), (Texts{"one", "four", "six", "eight"}));
    EXPECT_EQ(texts_of(rows, rows.positives), (Texts{"two", "two", "seven", "one"}));
    EXPECT_EQ(texts_of(rows, rows.negatives), (Texts{"three", "three", "five"}));
    EXPECT_EQ(rows.negative_offsets, (std::vector<int64_t>{0, 1, 3, 3, 3}));
    EXPECT_EQ(rows.positives[0], rows.positives[1]) << "equal texts are one";
    EXPECT_EQ(rows.positives[3], rows.queries[0]);
    EXPECT_TRUE(rows.scores.empty());
    EXPECT_TRUE(rows.labels.empty());
  }
}

TEST_F(Rows, NegativesOfSeveralFields) {
  Columns columns = kTriplet;
  columns[Column::kNegatives] = "n_1, n_2";
  const DataRows json = read("r.jsonl",
                             R"({"q":"a","p":"b","n_2":"c"})"
                             "\n"
                             R"({"q":"d","p":"e","n_1":"f","n_2":"g"})",
                             columns);
  EXPECT_EQ(texts_of(json, json.negatives), (Texts{"c", "f", "g"}));
  EXPECT_EQ(json.negative_offsets, (std::vector<int64_t>{0, 1, 3}));
  const DataRows csv = read("r.csv", "q,p,n_1,n_2\na,b,,c\nd,e,f,g\n", columns);
  EXPECT_EQ(texts_of(csv, csv.negatives), (Texts{"c", "f", "g"}));
  EXPECT_EQ(csv.negative_offsets, (std::vector<int64_t>{0, 1, 3}));
}

TEST_F(Rows, TablesWithAndWithoutHeader) {
  const DataRows csv = read("r.csv", "s,a,b\n0.5,\"x, y\",z\n-2,u,\"v\nw\"\n", kGraded);
  EXPECT_EQ(texts_of(csv, csv.queries), (Texts{"x, y", "u"}));
  EXPECT_EQ(texts_of(csv, csv.positives), (Texts{"z", "v\nw"}));
  EXPECT_EQ(csv.scores, (std::vector<float>{0.5F, -2}));
  const Columns numbered{{Column::kQuery, "1"}, {Column::kPositive, "2"}, {Column::kScore, "3"}};
  const DataRows tsv = read("r.tsv.gz", test::gzip("x\ty\t1\nu\tv\t2\textra\n"), numbered);
  EXPECT_EQ(texts_of(tsv, tsv.queries), (Texts{"x", "u"}));
  EXPECT_EQ(tsv.scores, (std::vector<float>{1, 2}));
}

TEST_F(Rows, LabelsAreNumberedByFirstAppearance) {
  const DataRows rows = read("r.jsonl", R"({"t":"a","l":"dog"}
{"t":"b","l":7}
{"t":"c","l":"cat"}
{"t":"d","l":"dog"}
{"t":"e","l":"7"})",
                             kLabelled);
  EXPECT_EQ(rows.labels, (std::vector<int32_t>{0, 1, 2, 0, 1}));
  EXPECT_EQ(rows.label_names, (Texts{"dog", "7", "cat"}));
}

TEST_F(Rows, LinesOfText) {
  const DataRows rows = read("r.txt", "first text\r\n\n  \nsecond\n", {{Column::kText, "text"}});
  EXPECT_EQ(texts_of(rows, rows.queries), (Texts{"first text", "second"}));
  expect_rejected("a file of lines gives the column text only", "r.txt", "x\n", kTriplet);
}

TEST_F(Rows, SeveralFilesAndMostRows) {
  DataRecipe all = recipe("a.jsonl", "{\"t\":\"1\",\"l\":1}\n{\"t\":\"2\",\"l\":2}\n", kLabelled);
  directory_.write("b.csv", "t,l\n3,2\n4,3\n");
  all.files.push_back(directory_.path("b.csv"));
  EXPECT_EQ(read_data_rows(all).labels, (std::vector<int32_t>{0, 1, 1, 2}));
  all.most_rows = 3;
  const DataRows rows = read_data_rows(all);
  EXPECT_EQ(texts_of(rows, rows.queries), (Texts{"1", "2", "3"}));
}

TEST_F(Rows, BrokenBytesAreRepaired) {
  const DataRows rows = read("r.jsonl", "{\"t\":\"a\xFF\",\"l\":\"\xC3\"}\n", kLabelled);
  EXPECT_EQ(texts_of(rows, rows.queries), Texts{"a\xEF\xBF\xBD"});
  EXPECT_EQ(rows.label_names, Texts{"\xEF\xBF\xBD"});
}

TEST_F(Rows, ErrorsNameFileLineFoundAndExpected) {
  const std::string good = "{\"a\":\"x\",\"b\":\"y\",\"s\":1}\n";
  expect_rejected("r.jsonl:2: ", "r.jsonl", good + "{\"a\":\n", kGraded);
  expect_rejected("r.jsonl:2: value: expected an object, found an array", "r.jsonl", good + "[1]\n", kGraded);
  expect_rejected("r.jsonl:2: field 'b' is missing", "r.jsonl", good + "{\"a\":\"x\",\"s\":1}\n", kGraded);
  expect_rejected("r.jsonl:3: 'b': expected a string, found an integer", "r.jsonl",
                  good + "\n{\"a\":\"x\",\"b\":1,\"s\":1}\n", kGraded);
  expect_rejected("r.jsonl:2: 's': expected a number, found a string", "r.jsonl",
                  good + "{\"a\":\"x\",\"b\":\"y\",\"s\":\"good\"}\n", kGraded);
  expect_rejected("r.jsonl:1: 'a': expected a text, found an empty one", "r.jsonl", "{\"a\":\" \",\"b\":\"y\",\"s\":1}",
                  kGraded);
  expect_rejected("r.jsonl:1: 's': expected a finite number, found 1e+39", "r.jsonl",
                  "{\"a\":\"x\",\"b\":\"y\",\"s\":1e39}", kGraded);
  expect_rejected("r.jsonl:1: 'l': expected an integer, found a number", "r.jsonl", "{\"t\":\"x\",\"l\":1.5}",
                  kLabelled);
  expect_rejected("r.jsonl:1: 'n': expected a string, found an integer", "r.jsonl",
                  "{\"q\":\"x\",\"p\":\"y\",\"n\":[1]}", kTriplet);
}

TEST_F(Rows, ErrorsOfTables) {
  expect_rejected("r.csv:1: no column 's' in the header, which has: a, b", "r.csv", "a,b\nx,y\n", kGraded);
  expect_rejected("r.csv:3: expected 3 fields as in the header, found 2", "r.csv", "a,b,s\nx,y,1\nx,y\n", kGraded);
  expect_rejected("r.csv:2: 's': expected a number, found 'good'", "r.csv", "a,b,s\nx,y,good\n", kGraded);
  expect_rejected("r.csv:2: 's': expected a finite number, found nan", "r.csv", "a,b,s\nx,y,nan\n", kGraded);
  expect_rejected("r.csv:2: 'b': expected a text, found an empty one", "r.csv", "a,b,s\nx,,1\n", kGraded);
  expect_rejected("r.csv:2: 'l': expected a label, found nothing", "r.csv", "t,l\nx,\n", kLabelled);
  expect_rejected("r.csv:1: expected a field 3, found 2 fields", "r.csv", "x,y\n",
                  {{Column::kText, "1"}, {Column::kLabel, "3"}});
}

TEST_F(Rows, NoRowsAreAnError) {
  for (const std::string file : {"r.jsonl", "r.csv", "r.txt"}) {
    expect_rejected(file + ": expected rows, found none", file, "", {{Column::kText, "t"}});
    expect_rejected(file + ": expected rows, found none", file, "\n \n",
                    {{Column::kText, file == "r.csv" ? " " : "t"}});
  }
  expect_rejected("r.csv: expected rows, found none", "r.csv", "t,l\n", kLabelled);
  DataRecipe none;
  none.name = "nothing";
  none.columns = kLabelled;
  test::expect_error(ErrorKind::kInvalidInput, "nothing: expected files with rows", [&] { read_data_rows(none); });
  none.files = {directory_.path("absent.jsonl")};
  test::expect_error(ErrorKind::kNotFound, "absent.jsonl", [&] { read_data_rows(none); });
}

TEST_F(Rows, ColumnsThatDoNotGoTogether) {
  expect_rejected("data: expected one of the columns text and query, found neither", "r.jsonl", "{}",
                  {{Column::kPositive, "p"}});
  expect_rejected("data: expected one of the columns text and query, found both", "r.jsonl", "{}",
                  {{Column::kText, "t"}, {Column::kQuery, "q"}});
  expect_rejected("go with query, found text", "r.jsonl", "{}", {{Column::kText, "t"}, {Column::kPositive, "q"}});
}

TEST_F(Rows, LongRowsAreRefused) {
  const std::string text = "{\"t\": \"" + std::string(kMostRecordBytes, 'x') + "\", \"l\": 1}\n";
  expect_rejected("r.jsonl.gz:1: more than 16 MiB in one row", "r.jsonl.gz", test::gzip(text), kLabelled);
}

TEST_F(Rows, SelectionKeepsWhatBelongsToARow) {
  const DataRows rows = select_rows(read("r.jsonl", R"({"q":"a","p":"b","n":["c","d"]}
{"q":"e","p":"f"}
{"q":"g","p":"h","n":"i"})",
                                         kTriplet),
                                    {2, 0});
  EXPECT_EQ(texts_of(rows, rows.queries), (Texts{"g", "a"}));
  EXPECT_EQ(texts_of(rows, rows.positives), (Texts{"h", "b"}));
  EXPECT_EQ(texts_of(rows, rows.negatives), (Texts{"i", "c", "d"}));
  EXPECT_EQ(rows.negative_offsets, (std::vector<int64_t>{0, 1, 3}));
  EXPECT_EQ(select_rows(read("l.csv", "t,l\nx,1\ny,2\n", kLabelled), {1}).labels, std::vector<int32_t>{1});
}

TEST(FileFormat, ByTheEnding) {
  EXPECT_EQ(file_format("a/b.jsonl.gz"), FileFormat::kJsonl);
  EXPECT_EQ(file_format("b.ndjson"), FileFormat::kJsonl);
  EXPECT_EQ(file_format("b.csv"), FileFormat::kCsv);
  EXPECT_EQ(file_format("b.tsv.gz"), FileFormat::kTsv);
  EXPECT_EQ(file_format("jsonl"), FileFormat::kLines);
}

}  // namespace
}  // namespace jina
