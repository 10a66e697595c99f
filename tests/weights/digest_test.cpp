#include "weights/digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/sha256.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::expect_error;
using test::TemporaryDirectory;

constexpr const char* kCache = ".jina-digest.json";

/// Waits past the tick of the file system's clock, so that the next write shows in the times of a file.
void pass_a_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

class DigestTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_.write("config.json", "{}");
    directory_.write("tokenizer.json", "{\"model\": 1}");
    directory_.write("model.safetensors", "weights");
  }
  std::string digest(const std::string& cache = "") const { return weights_digest(directory_.path(), cache, {}); }
  bool has_cache() const { return std::filesystem::exists(directory_.path(kCache)); }
  /// Puts a wrong digest into the cache, so that its use shows in the result.
  void poison(const std::string& path) const {
    std::string text = read_file(path);
    for (size_t at = 0; (at = text.find("\"sha256\": \"", at)) != std::string::npos; ++at) {
      text.replace(at + 11, 64, std::string(64, 'a'));
    }
    TemporaryDirectory beside;
    beside.write("c", text);
    std::filesystem::copy(beside.path("c"), path, std::filesystem::copy_options::overwrite_existing);
  }

  TemporaryDirectory directory_;
};

TEST_F(DigestTest, IsTheDigestOfNamesAndDigests) {
  Sha256 expected;
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    expected.update(name);
    expected.update(std::string_view("\0", 1));
    expected.update(sha256_of_file(directory_.path(name)));
    expected.update("\n");
  }
  EXPECT_EQ(digest(), expected.hex());
}

TEST_F(DigestTest, ListsWhatDecidesTheVectors) {
  for (const char* name :
       {"README.md", "model.onnx", "other.safetensors", "vocab.txt", "1_Pooling/config.json", "modules.json",
        "pool/config.json", "config_sentence_transformers.json", "sentence_bert_config.json", "tokenizer_config.json",
        "retrieval_query/adapter_config.json", "retrieval_query/adapter_model.safetensors", "retrieval_query/README.md",
        "adapters/adapter_config.json", "adapters/one/adapter_model.safetensors"}) {
    directory_.write(name, R"([{"type": "a.Pooling", "path": "pool"}])");
  }
  EXPECT_EQ(vector_files(directory_.path()),
            (std::vector<std::string>{"adapters/adapter_config.json", "adapters/one/adapter_model.safetensors",
                                      "config.json", "config_sentence_transformers.json", "model.safetensors",
                                      "modules.json", "pool/config.json", "retrieval_query/adapter_config.json",
                                      "retrieval_query/adapter_model.safetensors", "sentence_bert_config.json",
                                      "tokenizer.json", "tokenizer_config.json"}));
}

TEST_F(DigestTest, ChangesWithEachFileAndOnlyWithThose) {
  const std::string before = digest();
  directory_.write("README.md", "text");
  EXPECT_EQ(digest(), before);
  directory_.write("config.json", "{ }");
  const std::string after = digest();
  EXPECT_NE(after, before);
  directory_.write("1_Pooling/config.json", "{}");
  EXPECT_NE(digest(), after);
}

TEST_F(DigestTest, FreshFilesAreNotRemembered) {
  weights_digest(directory_.path(), "", std::chrono::hours(1));
  EXPECT_FALSE(has_cache());
}

TEST_F(DigestTest, RemembersSettledFilesWhileTheyStayAsTheyAre) {
  pass_a_tick();
  const std::string before = digest();
  ASSERT_TRUE(has_cache());
  EXPECT_EQ(digest(), before);
  poison(directory_.path(kCache));
  EXPECT_NE(digest(), before);  // so the cache is used …

  // … until a file changes, here in place, with size and modification time as before.
  struct stat old {};
  const std::string weights = directory_.path("model.safetensors");
  ASSERT_EQ(::stat(weights.c_str(), &old), 0);
  directory_.write("model.safetensors", "WEIGHTS");
  const struct timespec times[2] = {old.st_atim, old.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, weights.c_str(), times, 0), 0);
  directory_.write("config.json", "{}");
  directory_.write("tokenizer.json", "{\"model\": 1}");
  const std::string changed = digest();
  EXPECT_NE(changed, before);
  std::filesystem::remove(directory_.path(kCache));
  EXPECT_EQ(digest(), changed);
}

TEST_F(DigestTest, ACopiedDirectoryIsReadAnew) {
  pass_a_tick();
  const std::string before = digest();
  poison(directory_.path(kCache));
  const TemporaryDirectory other;
  std::filesystem::copy(directory_.path(), other.path("copy"), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(std::filesystem::exists(other.path("copy") + "/" + kCache));
  EXPECT_EQ(weights_digest(other.path("copy"), "", {}), before);
}

TEST_F(DigestTest, ABrokenCacheIsAsNone) {
  const std::string before = digest();
  for (const char* text : {"", "{", "[]", R"({"version": 1, "files": [{}]})", R"({"version": 99, "files": 3})"}) {
    directory_.write(kCache, text);
    EXPECT_EQ(digest(), before);
  }
}

TEST_F(DigestTest, AManifestServesFilesOlderThanItself) {
  const auto without_cache = [&] { return weights_digest(directory_.path(), "", std::chrono::hours(1)); };
  const std::string before = without_cache();
  pass_a_tick();
  directory_.write(
      "jina-manifest.json",
      fmt::format(R"({{"name": "a/b", "files": [{{"path": "model.safetensors", "size": 7, "sha256": "{:a>64}"}}]}})",
                  ""));
  EXPECT_NE(without_cache(), before);
  pass_a_tick();
  directory_.write("model.safetensors", "weights");  // the same bytes, but written after the manifest
  EXPECT_EQ(without_cache(), before);
}

TEST_F(DigestTest, AManifestOfAnotherSizeIsNotUsed) {
  const std::string before = digest();
  pass_a_tick();
  directory_.write(
      "jina-manifest.json",
      fmt::format(R"({{"files": [{{"path": "model.safetensors", "size": 8, "sha256": "{:a>64}"}}]}})", ""));
  EXPECT_EQ(digest(), before);
}

TEST_F(DigestTest, WhatCannotBeWrittenBesideGoesToTheCacheDirectory) {
  const TemporaryDirectory cache;
  directory_.write(std::string(kCache) + "/in-the-way", "");
  pass_a_tick();
  const std::string before = digest(cache.path("deep/er"));
  poison(std::filesystem::directory_iterator(cache.path("deep/er"))->path().string());
  EXPECT_NE(digest(cache.path("deep/er")), before);
  EXPECT_EQ(digest(""), before);
}

TEST_F(DigestTest, ADirectoryWithoutWeightsIsAnError) {
  std::filesystem::remove(directory_.path("model.safetensors"));
  expect_error(ErrorKind::kNotFound, "no weights", [&] { digest(); });
}

}  // namespace
}  // namespace jina
