#include "net/model_name.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

TEST(ModelName, ParsesNameAndRevision) {
  const auto plain = ModelName::parse("jinaai/jina-embeddings-v3");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->repository(), "jinaai/jina-embeddings-v3");
  EXPECT_EQ(plain->revision, "main");
  EXPECT_EQ(plain->text(), "jinaai/jina-embeddings-v3");
  const auto pinned = ModelName::parse("acme/tiny@refs/pr/1");
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->revision, "refs/pr/1");
  EXPECT_EQ(pinned->text(), "acme/tiny@refs/pr/1");
  EXPECT_EQ(ModelName::parse("acme/tiny@main"), ModelName::parse("acme/tiny"));
}

TEST(ModelName, RejectsWhatIsNoNameOfAHub) {
  for (const char* text : {"",           "tiny",           "/tiny",          "acme/",        "acme/tiny/more",
                           "../tiny",    "acme/..",        "acme/.hidden",   "a--b/c",       "acme/ti ny",
                           "acme/tiny@", "acme/tiny@../x", "acme/tiny@a//b", "acme/tiny@.x", "acme/t\nx",
                           "acme/-x",    "acme/x.",        "acme/x?y",       "acme/x@a@b",   "acme/caf\xC3\xA9"}) {
    EXPECT_FALSE(ModelName::parse(text)) << text;
  }
  EXPECT_FALSE(ModelName::parse("acme/" + std::string(97, 'x')));
}

TEST(ModelName, DirectoryNamesComeBack) {
  EXPECT_EQ(ModelName::parse("acme/tiny")->directory(), "acme--tiny");
  EXPECT_EQ(ModelName::parse("acme/tiny@refs/pr/1")->directory(), "acme--tiny@refs%2Fpr%2F1");
  for (const char* text : {"acme/tiny", "acme/tiny@v1.0", "a-b/c_d.e@refs/pr/1", "acme/tiny@feature--x"}) {
    const auto name = ModelName::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(ModelName::from_directory(name->directory()), name) << text;
  }
  EXPECT_FALSE(ModelName::from_directory("all-MiniLM-L6-v2"));
  EXPECT_FALSE(ModelName::from_directory("acme--tiny@..%2Fx"));
}

TEST(ModelName, SafePathsStayBelow) {
  for (const char* path : {"config.json", "1_Pooling/config.json", "adapters/a+b=c/x.safetensors"}) {
    EXPECT_TRUE(is_safe_path(path)) << path;
  }
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".git/config", "a/.hidden", "a\\b", "a b",
                           "a\nb", "C:x", "a\xE2\x80\xAE"}) {
    EXPECT_FALSE(is_safe_path(path)) << path;
  }
  EXPECT_FALSE(is_safe_path(std::string("a\0b", 3)));
  EXPECT_FALSE(is_safe_path(std::string(300, 'a')));
}

TEST(ModelName, CommitsAreLowerCaseHexadecimal) {
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  EXPECT_TRUE(is_commit(std::string(64, '0')));
  EXPECT_FALSE(is_commit(std::string(39, 'a')));
  EXPECT_FALSE(is_commit(std::string(40, 'A')));
  EXPECT_FALSE(is_commit("../" + std::string(37, 'a')));
}

}  // namespace
}  // namespace jina
