#include "base/input_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

constexpr size_t kMostBytes = 100'000;

std::vector<std::string> read_lines(const std::string& path, size_t most_bytes = kMostBytes) {
  InputFile file(path);
  std::vector<std::string> lines;
  for (std::string line; read_line(file.stream(), line, most_bytes);) lines.push_back(line);
  return lines;
}

/// Lines of many lengths, more bytes than any buffer here has.
std::string many_lines() {
  const CounterRng rng(3, "lines");
  std::string text;
  for (uint64_t i = 0; i < 4000; ++i) {
    for (uint64_t n = rng.bits(i) % 300; n > 0; --n)
      text.push_back(static_cast<char>('a' + rng.bits(i * 301 + n) % 26));
    text.push_back('\n');
  }
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(InputFile, PlainAndPackedGiveTheSameLines) {
  const test::TemporaryDirectory directory;
  const std::string text = many_lines();
  directory.write("plain.txt", text);
  directory.write("packed.gz", test::gzip(text));
  directory.write("misnamed.txt", test::gzip(text));
  const auto expected = split(text);
  EXPECT_EQ(read_lines(directory.path("plain.txt")), expected);
  EXPECT_EQ(read_lines(directory.path("packed.gz")), expected);
  EXPECT_EQ(read_lines(directory.path("misnamed.txt")), expected);
}

TEST(InputFile, SmallFiles) {
  const test::TemporaryDirectory directory;
  using Lines = std::vector<std::string>;
  directory.write("empty", "");
  directory.write("empty.gz", test::gzip(""));
  directory.write("one", "x");
  directory.write("blank", "\n\na");
  EXPECT_EQ(read_lines(directory.path("empty")), Lines{});
  EXPECT_EQ(read_lines(directory.path("empty.gz")), Lines{});
  EXPECT_EQ(read_lines(directory.path("one")), Lines{"x"});
  EXPECT_EQ(read_lines(directory.path("blank")), (Lines{"", "", "a"}));
}

TEST(InputFile, PackedPartsInARowAreOneContent) {
  const test::TemporaryDirectory directory;
  directory.write("two.gz", test::gzip("a\nb") + test::gzip("c\nd\n") + std::string(600'000, '\0'));
  EXPECT_EQ(read_lines(directory.path("two.gz")), (std::vector<std::string>{"a", "bc", "d"}));
}

TEST(InputFile, LongLinesAreKeptInPart) {
  const test::TemporaryDirectory directory;
  directory.write("long", std::string(3 * kMostBytes, 'x') + "\nshort\n");
  const auto lines = read_lines(directory.path("long"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), kMostBytes + 1);
  EXPECT_EQ(lines[1], "short");
}

TEST(InputFile, BrokenPackedDataNameTheFile) {
  const test::TemporaryDirectory directory;
  const std::string packed = test::gzip(many_lines());
  for (const size_t length : {size_t{2}, size_t{9}, packed.size() / 2, packed.size() - 1}) {
    directory.write("cut.gz", packed.substr(0, length));
    test::expect_error(ErrorKind::kInvalidInput, "cut.gz: the gzip data are cut off",
                       [&] { read_lines(directory.path("cut.gz")); });
  }
  std::string broken = packed;
  broken[broken.size() - 6] = static_cast<char>(broken[broken.size() - 6] ^ 1);  // the checksum
  directory.write("broken.gz", broken);
  test::expect_error(ErrorKind::kInvalidInput, "broken.gz: the gzip data are broken",
                     [&] { read_lines(directory.path("broken.gz")); });
  directory.write("tail.gz", packed + "not gzip");
  test::expect_error(ErrorKind::kInvalidInput, "tail.gz: the gzip data are broken",
                     [&] { read_lines(directory.path("tail.gz")); });
}

TEST(InputFile, MissingFilesAndDirectories) {
  const test::TemporaryDirectory directory;
  test::expect_error(ErrorKind::kNotFound, "absent.gz: cannot open",
                     [&] { const InputFile file(directory.path("absent.gz")); });
  test::expect_error(ErrorKind::kIo, "found a directory", [&] { const InputFile file(directory.path()); });
}

}  // namespace
}  // namespace jina
