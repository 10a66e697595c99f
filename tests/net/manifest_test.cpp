#include "net/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Manifest example() {
  return {{"acme", "tiny", "refs/pr/1"},
          std::string(40, 'c'),
          {{"config.json", 3, std::string(64, '1')}, {"1_Pooling/config.json", 5, std::string(64, '2')}}};
}

TEST(Manifest, ComesBackAsWritten) {
  const test::TemporaryDirectory directory;
  EXPECT_FALSE(read_manifest(directory.path()));
  write_manifest(directory.path(), example());
  const auto manifest = read_manifest(directory.path());
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->model, example().model);
  EXPECT_EQ(manifest->commit, example().commit);
  ASSERT_EQ(manifest->files.size(), 2u);
  EXPECT_EQ(manifest->files[1].path, "1_Pooling/config.json");
  EXPECT_EQ(manifest->files[1].size, 5);
  EXPECT_EQ(manifest->files[1].sha256, std::string(64, '2'));
  EXPECT_EQ(manifest->bytes(), 8);
}

TEST(Manifest, MissingFilesAreAbsentOrOfAnotherSize) {
  const test::TemporaryDirectory directory;
  directory.write("config.json", "abc");
  EXPECT_THAT(missing_files(directory.path(), example()), ElementsAre("1_Pooling/config.json"));
  directory.write("1_Pooling/config.json", "12345");
  EXPECT_TRUE(missing_files(directory.path(), example()).empty());
  directory.write("config.json", "ab");
  EXPECT_THAT(missing_files(directory.path(), example()), ElementsAre("config.json"));
}

TEST(Manifest, BrokenOnesAreNamed) {
  for (
      const auto& [text, says] : std::vector<std::pair<std::string, std::string>>{
          {"{", "not valid JSON"},
          {"{}", "'version' is missing"},
          {R"({"version": 2})", "expected 1, found 2"},
          {R"({"version": 1, "name": "../x", "revision": "main"})", "the name of a model"},
          {R"({"version": 1, "name": "a/b", "revision": "main", "commit": "c", "files": [{"path": "../x", "size": 1, "sha256": ""}]})",
           "a path inside the directory"},
      }) {
    const test::TemporaryDirectory directory;
    directory.write("jina-manifest.json", text);
    try {
      read_manifest(directory.path());
      ADD_FAILURE() << "expected an Error for " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
      EXPECT_THAT(error.what(), HasSubstr(says));
      EXPECT_THAT(error.what(), HasSubstr("jina-manifest.json"));
    }
  }
}

}  // namespace
}  // namespace jina
