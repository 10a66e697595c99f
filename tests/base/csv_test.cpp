#include "base/csv.h"

#include <sstream>

#include "support/expect_error.h"

namespace jina {
namespace {

using Records = std::vector<std::vector<std::string>>;

constexpr size_t kMostBytes = 1000;

Records parse(const std::string& text, char separator = ',') {
  std::istringstream stream(text);
  CsvParser csv(stream, "t.csv", separator, kMostBytes);
  Records records;
  for (std::vector<std::string> fields; csv.next(fields);) records.push_back(fields);
  return records;
}

TEST(CsvParser, PlainFields) {
  EXPECT_EQ(parse("a,b\n1,2\n"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}})) << "no line break at the end";
  EXPECT_EQ(parse("a\tb,c\n", '\t'), (Records{{"a", "b,c"}}));
  EXPECT_EQ(parse("a,,\n"), (Records{{"a", "", ""}}));
}

TEST(CsvParser, QuotesHoldAnything) {
  EXPECT_EQ(parse("\"a,b\",\"c \"\"d\"\"\",\"e\nf\"\n"), (Records{{"a,b", "c \"d\"", "e\nf"}}));
  EXPECT_EQ(parse("\"a\r\n\"\r\nb\r\n"), (Records{{"a\r\n"}, {"b"}}));
  EXPECT_EQ(parse("\"a\r\"\n"), (Records{{"a\r"}})) << "a carriage return inside the quotes stays";
  EXPECT_EQ(parse("a\"b\n"), (Records{{"a\"b"}})) << "a quote inside a bare field is itself";
}

TEST(CsvParser, MarkLineEndsAndBlankLines) {
  EXPECT_EQ(parse("\xEF\xBB\xBF\"a\",b\r\n\r\n\n1,2\r\n"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("text\n\"\"\nx\n"), (Records{{"text"}, {""}, {"x"}})) << "a quoted empty field is a record";
  EXPECT_EQ(parse(""), Records{});
  EXPECT_EQ(parse("\n\n"), Records{});
}

TEST(CsvParser, LineOfARecordIsWhereItBegins) {
  std::istringstream stream("a\n\n\"b\nc\"\nd\n");
  CsvParser csv(stream, "t.csv", ',', kMostBytes);
  std::vector<std::string> fields;
  std::vector<int64_t> lines;
  while (csv.next(fields)) lines.push_back(csv.line());
  EXPECT_EQ(lines, (std::vector<int64_t>{1, 3, 5}));
}

TEST(CsvParser, OpenQuoteIsAnErrorWithItsPlace) {
  test::expect_error(ErrorKind::kInvalidInput, "t.csv:2: a quoted field is never closed", [] { parse("a\n\"b\nc\n"); });
}

TEST(CsvParser, LongRecordsAreKeptInPart) {
  const std::string many(5 * kMostBytes, 'x');
  for (const std::string& text : {many, "\"" + many + "\"", std::string(5 * kMostBytes, ',')}) {
    std::istringstream stream("a," + text + "\nshort\n");
    CsvParser csv(stream, "t.csv", ',', kMostBytes);
    std::vector<std::string> fields;
    ASSERT_TRUE(csv.next(fields));
    EXPECT_EQ(csv.bytes(), 5 * kMostBytes + 2);
    size_t kept = fields.size() - 1;
    for (const std::string& field : fields) kept += field.size();
    EXPECT_EQ(kept, kMostBytes);
    ASSERT_TRUE(csv.next(fields));
    EXPECT_EQ(fields, std::vector<std::string>{"short"});
    EXPECT_EQ(csv.bytes(), 5u);
  }
}

}  // namespace
}  // namespace jina
