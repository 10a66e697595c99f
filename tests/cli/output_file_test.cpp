#include "cli/output_file.h"

#include <filesystem>

#include "base/file.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina::cli {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public testing::Test {
 protected:
  bool exists(const std::string& name) const { return fs::exists(files_.path(name)); }
  std::string content(const std::string& name) const { return read_file(files_.path(name)); }
  std::string path() const { return files_.path("v"); }
  test::TemporaryDirectory files_;
};

TEST_F(OutputFileTest, AppearsWhenComplete) {
  files_.write("v", "old");
  files_.write("v.skipped.jsonl", "of an earlier run");
  {
    OutputFile file(path(), "key", false);
    file.write("HEAD rows");
    file.overwrite_beginning("head");
    EXPECT_EQ(content("v"), "old");
    file.commit();
  }
  EXPECT_EQ(content("v"), "head rows");
  EXPECT_FALSE(exists("v.part") || exists("v.part.journal") || exists("v.skipped.jsonl"));
}

TEST_F(OutputFileTest, UnsecuredWorkLeavesNothing) {
  { OutputFile(path(), "key", false).write("rows"); }
  EXPECT_TRUE(fs::is_empty(files_.path()));
}

TEST_F(OutputFileTest, ContinuesBehindTheLastCheckpoint) {
  {
    OutputFile file(path(), "key", false);
    file.write("one ");
    file.write_skipped("skip one ");
    file.secure({.rows_read = 3, .rows_written = 1, .rows_skipped = 2, .rows_truncated = 1});
    file.write("lost");
    file.write_skipped("lost");
  }
  OutputFile file(path(), "key", true);
  EXPECT_EQ(file.resumed().rows_read, 3);
  EXPECT_EQ(file.resumed().rows_written, 1);
  EXPECT_EQ(file.resumed().rows_skipped, 2);
  EXPECT_EQ(file.resumed().rows_truncated, 1);
  EXPECT_EQ(file.resumed().output_bytes, 4u);
  file.write("two");
  file.write_skipped("skip two");
  file.commit();
  EXPECT_EQ(content("v"), "one two");
  EXPECT_EQ(content("v.skipped.jsonl"), "skip one skip two");
}

TEST_F(OutputFileTest, RefusesOtherWorkAndDamage) {
  {
    OutputFile file(path(), "key a", false);
    file.write("rows");
    file.write_skipped("skipped");
    file.secure({.rows_read = 1});
  }
  test::expect_error(ErrorKind::kInvalidArgument, "then: key a", [&] { OutputFile(path(), "key b", true); });
  fs::resize_file(files_.path("v.skipped.jsonl.part"), 2);
  test::expect_error(ErrorKind::kInvalidInput, "skipped.jsonl.part: shorter",
                     [&] { OutputFile(path(), "key a", true); });
  fs::resize_file(files_.path("v.part"), 2);
  test::expect_error(ErrorKind::kInvalidInput, "v.part: shorter", [&] { OutputFile(path(), "key a", true); });
  OutputFile anew(path(), "key b", false);
  EXPECT_EQ(anew.resumed().rows_read, 0);
  EXPECT_EQ(content("v.part"), "");
}

TEST_F(OutputFileTest, TwoWritersOfOneFile) {
  OutputFile file(path(), "key", false);
  test::expect_error(ErrorKind::kIo, "another run is writing it", [&] { OutputFile(path(), "key", false); });
}

TEST_F(OutputFileTest, ChecksThePlace) {
  test::expect_error(ErrorKind::kIo, "cannot create", [&] { OutputFile::check(files_.path("absent/v")); });
  test::expect_error(ErrorKind::kInvalidArgument, "found a directory", [&] { OutputFile::check(files_.path()); });
  test::expect_error(ErrorKind::kInvalidArgument, "> /dev/null", [] { OutputFile::check("/dev/null"); });
}

}  // namespace
}  // namespace jina::cli
