#include "cli/input_rows.h"

#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina::cli {
namespace {

InputRow parse(const std::string& line, RowSettings settings = {}) {
  InputRow row;
  row.where = "f:1";
  row.input.task = settings.task;
  parse_json_row(line, settings, row);
  return row;
}

std::string error_of(const std::string& line) {
  const InputRow row = parse(line);
  return row.error ? row.error->what() : "";
}

TEST(ParseJsonRow, TaskAbsentNullOrNamed) {
  const RowSettings settings{.task = "query"};
  EXPECT_EQ(parse(R"({"text": "a"})").input.task, std::nullopt);
  EXPECT_EQ(parse(R"({"text": "a"})", settings).input.task, "query");
  EXPECT_EQ(parse(R"({"text": "a", "task": null})", settings).input.task, "");
  EXPECT_EQ(parse(R"({"text": "a", "task": "passage"})", settings).input.task, "passage");
}

TEST(ParseJsonRow, IdOfAnyType) {
  EXPECT_EQ(parse(R"({"text": "a"})").id, "");
  for (const std::string id :
       {"7", "\"x\\\"y\"", "null", "true", "[1,\"a\"]", "{\"k\":null}", "18446744073709551615"}) {
    EXPECT_EQ(parse("{\"text\": \"a\", \"id\": " + id + "}").id, id);
  }
}

TEST(ParseJsonRow, PromptAndSpans) {
  EXPECT_TRUE(parse(R"({"text": "a"})").input.use_prompt);
  EXPECT_FALSE(parse(R"({"text": "a", "prompt": false})").input.use_prompt);
  EXPECT_FALSE(parse(R"({"text": "a", "prompt": true})", {.use_prompt = false}).input.use_prompt)
      << "--no-prompt is for all rows";
  EXPECT_EQ(parse(R"({"text": "abc", "spans": [[0, 1], [1, 3]]})").input.spans,
            (std::vector<TextSpan>{{0, 1}, {1, 3}}));
}

TEST(ParseJsonRow, TextOfAnotherField) {
  EXPECT_EQ(parse(R"({"body": "b", "text": "a"})", {.text_field = "body"}).input.text, "b");
}

TEST(ParseJsonRow, NulAndBrokenBytes) {
  EXPECT_EQ(parse(R"({"text": "a\u0000b"})").input.text, std::string("a\0b", 3));
  const InputRow row = parse("{\"text\": \"caf\xE9\"}");
  EXPECT_FALSE(row.error);
  EXPECT_TRUE(row.is_repaired);
  EXPECT_EQ(row.input.text, "caf\xEF\xBF\xBD");
}

TEST(ParseJsonRow, BrokenRowsSayWhatWasExpected) {
  EXPECT_THAT(error_of("{\"text\": "), testing::StartsWith("f:1: not valid JSON"));
  EXPECT_THAT(error_of("[]"), testing::HasSubstr("expected an object, found an array"));
  EXPECT_THAT(error_of("{}"), testing::HasSubstr("field 'text' is missing"));
  EXPECT_THAT(error_of(R"({"text": null})"), testing::HasSubstr("'text': expected a string, found null"));
  EXPECT_THAT(error_of(R"({"text": "a", "task": 3})"), testing::HasSubstr("'task': expected a string"));
  EXPECT_THAT(error_of(R"({"text": "a", "prompt": "no"})"), testing::HasSubstr("'prompt': expected true or false"));
  EXPECT_THAT(error_of(R"({"text": "a", "spans": [[1]]})"), testing::HasSubstr("[start, end] pairs"));
  EXPECT_THAT(error_of(R"({"text": "a", "spans": [[2, 1]]})"), testing::HasSubstr("0 <= start <= end"));
  EXPECT_THAT(error_of(R"({"image": "a.png"})"), testing::HasSubstr("takes text only"));
}

class ReadRows : public testing::Test {
 protected:
  std::vector<InputRow> read(const std::string& name, const std::string& content, const RowSettings& settings = {}) {
    files_.write(name, content);
    return read_all(name, settings);
  }
  std::vector<InputRow> read_all(const std::string& name, const RowSettings& settings = {}) const {
    std::vector<InputRow> rows;
    const auto reader = read_rows(files_.path(name), settings);
    for (InputRow row; reader->next(row);) rows.push_back(row);
    return rows;
  }
  test::TemporaryDirectory files_;
};

std::vector<std::string> texts_of(const std::vector<InputRow>& rows) {
  std::vector<std::string> texts;
  for (const InputRow& row : rows) texts.push_back(row.input.text);
  return texts;
}

TEST_F(ReadRows, LinesOfText) {
  const auto rows = read("t.txt", "\xEF\xBB\xBFone\r\n\ntwo\n  three");
  EXPECT_EQ(texts_of(rows), (std::vector<std::string>{"one", "", "two", "  three"}));
  EXPECT_EQ(rows[2].index, 2);
  EXPECT_EQ(rows[2].where, files_.path("t.txt") + ":3");
}

TEST_F(ReadRows, LinesOfJsonLeaveBlankLinesOut) {
  const auto rows = read("t.jsonl", "{\"text\": \"a\"}\n\n \n{\"text\": 1}\r\n{\"text\": \"c\"}\n");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].where, files_.path("t.jsonl") + ":4");
  EXPECT_TRUE(rows[1].error) << "a broken row does not end the reading";
  EXPECT_EQ(rows[2].index, 2);
  EXPECT_EQ(texts_of(read("t.dat", "{\"text\": \"a\"}\n", {.format = RowFormat::kJsonl})),
            (std::vector<std::string>{"a"}));
}

TEST_F(ReadRows, TablesByTheirHeader) {
  const auto rows = read("t.csv", "id,text,task\n7,\"a\nb\",query\n8,c,\n9,d\n");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].input.text, "a\nb");
  EXPECT_EQ(rows[0].id, "\"7\"");
  EXPECT_EQ(rows[0].input.task, "query");
  EXPECT_EQ(rows[1].input.task, std::nullopt);
  ASSERT_TRUE(rows[2].error);
  EXPECT_THAT(rows[2].error->what(), testing::HasSubstr("t.csv:5: expected 3 fields as in the header, found 2"));
  EXPECT_EQ(texts_of(read("t.tsv", "body\tn\nx,y\t1\n", {.text_field = "body"})), (std::vector<std::string>{"x,y"}));
}

TEST_F(ReadRows, DirectoryOfTextFiles) {
  files_.write("d/b.txt", "second");
  files_.write("d/a/x.txt", "first\nfile");
  files_.write("d/.hidden", "no");
  files_.write("d/binary", std::string("a\0b", 3));
  const auto rows = read_all("d");
  EXPECT_EQ(texts_of(rows), (std::vector<std::string>{"first\nfile", "second"}));
  EXPECT_EQ(rows[1].id, "\"" + files_.path("d/b.txt") + "\"");
}

TEST_F(ReadRows, ARowAboveTheLimitIsAnErrorAndReadingGoesOn) {
  const std::string most(16 << 20, 'a');
  for (const auto& [name, head, tail] : {std::tuple{"t.txt", "", ""}, {"t.jsonl", "{\"text\": \"", "\"}"}}) {
    const std::string line = head + most + tail, few = std::string(head) + "b" + tail;
    const auto rows = read(name, line + "c\n" + few + "\n" + most.substr(0, 16383) + "\n");
    ASSERT_EQ(rows.size(), 3u) << name;
    ASSERT_TRUE(rows[0].error) << name;
    EXPECT_THAT(rows[0].error->what(), testing::HasSubstr(":1: more than 16 MiB in one row")) << name;
    EXPECT_EQ(rows[1].input.text, "b") << name;
  }
  EXPECT_EQ(texts_of(read("u.txt", most)), std::vector<std::string>{most});
  const auto table = read("t.csv", "text,n\n\"" + most + "\",2\nb,3\n");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_THAT(table[0].error->what(), testing::HasSubstr("t.csv:2: more than 16 MiB in one row"));
  EXPECT_EQ(table[1].input.text, "b");
  files_.write("d/a.txt", most + "c");
  files_.write("d/b.txt", "b");
  files_.write("d/picture", std::string(1, '\0') + most + most);
  const auto files = read_all("d");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_THAT(files[0].error->what(), testing::HasSubstr("d/a.txt: more than 16 MiB in one row"));
  EXPECT_EQ(files[1].input.text, "b");
}

TEST_F(ReadRows, MissingFileIsAnError) {
  test::expect_error(ErrorKind::kNotFound, "absent.txt", [&] { read_all("absent.txt"); });
}

}  // namespace
}  // namespace jina::cli
