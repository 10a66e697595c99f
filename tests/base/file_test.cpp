#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace jina {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "jina-file-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  fs::path folder_;
};

template <typename Action>
ErrorKind kind_of_failure(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

TEST_F(File, ReadsAllBytes) {
  const std::string bytes = std::string("a\0b\xFF\n", 5) + std::string(200000, 'x');
  put("bytes", bytes);
  EXPECT_EQ(read_file(path("bytes")), bytes);
  EXPECT_EQ(read_file(path("bytes"), 3), bytes.substr(0, 3));
  EXPECT_EQ(read_file(path("bytes"), 0), "");
  put("empty", "");
  EXPECT_EQ(read_file(path("empty")), "");
}

TEST_F(File, AbsentAndUnreadableDiffer) {
  EXPECT_EQ(kind_of_failure([&] { read_file(path("none")); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of_failure([&] { read_file(folder_.string()); }), ErrorKind::kIo);
  EXPECT_EQ(kind_of_failure([&] { MappedFile::open(path("none")); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of_failure([&] { MappedFile::open(folder_.string()); }), ErrorKind::kIo);
}

TEST_F(File, MappedBytesAreThoseOfTheFileAlsoAfterRelease) {
  std::string bytes(50000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  put("mapped", bytes);
  const auto file = MappedFile::open(path("mapped"));
  const auto text = [&] {
    return std::string_view(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  };
  EXPECT_EQ(text(), bytes);
  file->release(file->bytes());
  file->release(file->bytes().subspan(5000, 30000));
  EXPECT_EQ(text(), bytes);
  EXPECT_EQ(file->path(), path("mapped"));
}

TEST_F(File, EmptyFileMapsToNothing) {
  put("empty", "");
  EXPECT_TRUE(MappedFile::open(path("empty"))->bytes().empty());
}

TEST_F(File, AtomicFileAppearsOnlyWhenCommitted) {
  put("out", "before");
  {
    AtomicFile file(path("out"));
    file.write("half");
    EXPECT_EQ(read_file(path("out")), "before");
  }
  EXPECT_EQ(read_file(path("out")), "before");
  EXPECT_FALSE(fs::exists(path("out.part")));
  AtomicFile file(path("out"));
  file.write("after ");
  file.write("that");
  file.commit();
  EXPECT_EQ(read_file(path("out")), "after that");
  EXPECT_FALSE(fs::exists(path("out.part")));
}

TEST_F(File, AtomicFileInAnAbsentFolderIsAnError) {
  EXPECT_EQ(kind_of_failure([&] { AtomicFile file(path("none/out")); }), ErrorKind::kNotFound);
}

TEST_F(File, FullDiskIsAnErrorThatNamesTheFile) {
  const int full = ::open("/dev/full", O_WRONLY);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  try {
    write_all(full, "text", "out.jsonl");
    ADD_FAILURE() << "writing to a full disk worked";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_EQ(error.where(), "out.jsonl");
  }
  ::close(full);
}

}  // namespace
}  // namespace jina
