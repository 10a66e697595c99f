#include "cli/search_units.h"

#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina::cli {
namespace {

using Places = std::vector<std::pair<int64_t, std::string>>;

Places places(const std::string& content, UnitKind kind) {
  std::vector<SearchUnit> units;
  append_units("f", content, kind, units);
  Places result;
  for (const SearchUnit& unit : units) result.emplace_back(unit.line, unit.text);
  return result;
}

TEST(AppendUnits, LinesThatAreNotBlank) {
  EXPECT_EQ(places("one\r\n\n \t\ntwo", UnitKind::kLine), (Places{{1, "one"}, {4, "two"}}));
  EXPECT_EQ(places("caf\xE9\n", UnitKind::kLine), (Places{{1, "caf\xEF\xBF\xBD"}}));
  EXPECT_EQ(places("", UnitKind::kLine), Places{});
}

TEST(AppendUnits, ParagraphsBetweenBlankLines) {
  EXPECT_EQ(places("\na\nb\n\n\nc\n", UnitKind::kParagraph), (Places{{2, "a\nb"}, {6, "c"}}));
}

TEST(ReadUnits, FilesAndDirectories) {
  const test::TemporaryDirectory files;
  files.write("d/a.txt", "one\n");
  files.write("d/binary", std::string("x\0y", 3));
  files.write("e.txt", "two\n");
  const auto units = read_units({files.path("d"), files.path("e.txt")}, UnitKind::kLine);
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].path, files.path("d/a.txt"));
  EXPECT_EQ(units[1].text, "two");
  test::expect_error(ErrorKind::kNotFound, "absent", [&] { read_units({files.path("absent")}, UnitKind::kLine); });
}

}  // namespace
}  // namespace jina::cli
