#include "base/atomic_directory.h"

#include <filesystem>

#include "base/file.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

TEST(AtomicDirectory, AppearsWholeOrNotAtAll) {
  const test::TemporaryDirectory files;
  const std::string path = files.path("model");
  {
    const AtomicDirectory abandoned(path + "/");
    write(abandoned.file("a/b.txt"), "x");
    EXPECT_TRUE(fs::exists(path + ".part/a/b.txt"));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(path + ".part"));

  AtomicDirectory out(path);
  write(out.file("a/b.txt"), "one");
  EXPECT_FALSE(fs::exists(path));
  out.commit();
  EXPECT_EQ(read_file(path + "/a/b.txt"), "one");
  EXPECT_FALSE(fs::exists(path + ".part"));
}

TEST(AtomicDirectory, ReplacesWhatIsThereAsAWhole) {
  const test::TemporaryDirectory files;
  files.write("model/old.txt", "old");
  files.write("model.part/left_by_a_crash.txt", "left");
  AtomicDirectory out(files.path("model"));
  write(out.file("new.txt"), "new");
  EXPECT_TRUE(fs::exists(files.path("model/old.txt")));
  out.commit();
  EXPECT_FALSE(fs::exists(files.path("model/old.txt")));
  EXPECT_FALSE(fs::exists(files.path("model/left_by_a_crash.txt")));
  EXPECT_EQ(read_file(files.path("model/new.txt")), "new");
  EXPECT_FALSE(fs::exists(files.path("model.part")));
}

TEST(AtomicDirectory, RefusesTheNameOfAFile) {
  const test::TemporaryDirectory files;
  files.write("taken", "x");
  test::expect_error(ErrorKind::kInvalidArgument, "taken", [&] { AtomicDirectory out(files.path("taken")); });
  test::expect_error(ErrorKind::kIo, "taken", [&] { AtomicDirectory out(files.path("taken/below")); });
}

}  // namespace
}  // namespace jina
