#include "net/pull.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "net/directory_lock.h"
#include "support/fake_hub.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using test::FakeHub;
using test::ServerReply;
using test::ServerRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr char kWeights[] = "model.safetensors";
constexpr size_t kSize = 300'000;

class PullTest : public testing::Test {
 protected:
  PullTest() {
    server_.put_model(kSize);
    options_.hub.endpoint = server_.url();
    options_.hub.retry = {.attempts = 2, .first_pause = std::chrono::milliseconds(1)};
    options_.models_dir = cache_.path("models");
    options_.log = [this](LogLevel, std::string_view message) { log_ += message; };
  }

  PullResult pull(const std::string& name = "acme/tiny") { return pull_model(*ModelName::parse(name), options_); }
  Error failure(const std::string& name = "acme/tiny") {
    try {
      pull(name);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "expected an Error";
    return Error(ErrorKind::kInternal, "none");
  }
  std::string directory() const { return cache_.path("models/acme--tiny"); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(directory())) {
      if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(directory()).string());
    }
    return names;
  }
  size_t content_requests() const { return server_.ranges(kWeights).size() + server_.ranges("tokenizer.json").size(); }
  bool has_manifest() const { return fs::exists(directory() + "/jina-manifest.json"); }

  FakeHub server_;
  test::TemporaryDirectory cache_;
  PullOptions options_;
  std::string log_;
};

TEST_F(PullTest, ParallelTransfersBringAModelAndItsManifest) {
  int64_t done = 0;
  int64_t total = 0;
  std::vector<std::string> arrived;
  options_.on_progress = [&](int64_t now, int64_t all) { done = now, total = all; };
  options_.on_file = [&](const HubFile& file) { arrived.push_back(file.path); };
  const PullResult result = pull();
  EXPECT_EQ(result.directory, directory());
  EXPECT_EQ(result.manifest.commit, server_.commit());
  EXPECT_EQ(result.files_fetched, 5);
  EXPECT_EQ(done, total);
  EXPECT_EQ(total, result.bytes_fetched);
  EXPECT_THAT(arrived, UnorderedElementsAre("config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json",
                                            "model.safetensors"));
  EXPECT_THAT(files(), UnorderedElementsAre("config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json",
                                            "model.safetensors", "jina-manifest.json"));
  EXPECT_TRUE(read_file(directory() + "/model.safetensors") == test::noise(kSize));
  const auto manifest = read_manifest(directory());
  ASSERT_TRUE(manifest);
  for (const ManifestFile& file : manifest->files) {
    EXPECT_EQ(file.sha256, sha256_of_file(directory() + "/" + file.path)) << file.path;
    EXPECT_EQ(file.size, static_cast<int64_t>(fs::file_size(directory() + "/" + file.path))) << file.path;
  }
  EXPECT_EQ(log_, "");
}

TEST_F(PullTest, TheSecondTimeNothingIsFetched) {
  pull();
  const size_t before = content_requests();
  const PullResult again = pull();
  EXPECT_EQ(again.files_fetched, 0);
  EXPECT_EQ(again.manifest.commit, server_.commit());
  EXPECT_EQ(content_requests(), before);
}

TEST_F(PullTest, AMovedRevisionBringsOnlyWhatChanged) {
  server_.put("special_tokens_map.json", "{}");
  pull();
  server_.move_to(std::string(40, 'b'));
  server_.put("config.json", R"({"model_type": "bert", "layers": 2})");
  server_.erase("special_tokens_map.json");
  const size_t before = content_requests();
  const PullResult moved = pull();
  EXPECT_EQ(moved.files_fetched, 1);
  EXPECT_EQ(moved.manifest.commit, std::string(40, 'b'));
  EXPECT_EQ(content_requests(), before);
  EXPECT_FALSE(fs::exists(directory() + "/special_tokens_map.json")) << "no longer part of the model";
  EXPECT_THAT(read_file(directory() + "/config.json"), HasSubstr("layers"));
}

TEST_F(PullTest, ACutPullLeavesTheOldVersionWholeAndGoesOnLater) {
  pull();
  server_.move_to(std::string(40, 'b'));
  server_.put_large(kWeights, test::noise(kSize, 2));
  server_.spoil(kWeights, {test::cut_after(100'000), test::answer_status(404)});
  failure();
  const auto old = read_manifest(directory());
  ASSERT_TRUE(old);
  EXPECT_EQ(old->commit, std::string(40, 'a'));
  EXPECT_TRUE(read_file(directory() + "/model.safetensors") == test::noise(kSize)) << "the old version is untouched";
  pull();
  EXPECT_TRUE(read_file(directory() + "/model.safetensors") == test::noise(kSize, 2));
  EXPECT_EQ(server_.ranges(kWeights).back(), "bytes=100000-");
  EXPECT_FALSE(fs::exists(directory() + "/.incoming"));
}

TEST_F(PullTest, AFirstPullThatFailsHasNoManifestAndFilesThatCameAreKept) {
  server_.spoil_always(kWeights, test::answer_status(500));
  options_.connections = 1;
  EXPECT_THAT(failure().what(), HasSubstr("HTTP status 500"));
  EXPECT_FALSE(has_manifest());
  options_.connections = 4;
  server_.spoil_always(kWeights, [](const ServerRequest&, ServerReply&) {});
  EXPECT_EQ(pull().files_fetched, 5);
  EXPECT_TRUE(has_manifest());
}

TEST_F(PullTest, FilesThatArrivedAreNotFetchedAgain) {
  server_.spoil_always("config.json", test::answer_status(500));
  options_.connections = 1;  // the largest first: weights and tokenizer arrive before the failure
  failure();
  EXPECT_TRUE(fs::exists(directory() + "/.incoming/model.safetensors"));
  server_.spoil_always("config.json", [](const ServerRequest&, ServerReply&) {});
  const size_t before = content_requests();
  pull();
  EXPECT_EQ(content_requests(), before);
  EXPECT_TRUE(has_manifest());
}

TEST_F(PullTest, ADirectoryThatLostAFileIsMended) {
  pull();
  fs::remove(directory() + "/tokenizer.json");
  const size_t before = server_.ranges(kWeights).size();
  EXPECT_EQ(pull().files_fetched, 1);
  EXPECT_EQ(server_.ranges(kWeights).size(), before);
  cache_.write("models/acme--tiny/jina-manifest.json", "{ broken");
  EXPECT_EQ(pull().files_fetched, 0);
  EXPECT_TRUE(read_manifest(directory()));
}

TEST_F(PullTest, RevisionsLieSideBySide) {
  pull();
  const PullResult pinned = pull("acme/tiny@" + server_.commit());
  EXPECT_EQ(pinned.directory, directory() + "@" + server_.commit());
  EXPECT_EQ(pinned.manifest.model.revision, server_.commit());
  const size_t before = server_.hub_requests().size();
  EXPECT_EQ(pull("acme/tiny@" + server_.commit()).files_fetched, 0);
  EXPECT_EQ(server_.hub_requests().size(), before) << "a commit never moves: nobody is asked";
}

TEST_F(PullTest, UnknownModelsAndRevisionsAreNamed) {
  EXPECT_THAT(failure("acme/other").what(), HasSubstr("acme/other does not exist, is private"));
  const Error error = failure("acme/tiny@v9");
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("acme/tiny has no revision 'v9'"));
  EXPECT_FALSE(fs::exists(cache_.path("models/acme--tiny@v9"))) << "nothing is left behind";
}

TEST_F(PullTest, ShardedModelsComeByTheirIndex) {
  server_.erase(kWeights);
  server_.put("model.safetensors.index.json",
              R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
  server_.put_large("model-00001-of-00002.safetensors", test::noise(1000, 11));
  server_.put_large("model-00002-of-00002.safetensors", test::noise(2000, 12));
  EXPECT_EQ(pull().files_fetched, 7);
  EXPECT_TRUE(read_file(directory() + "/model-00002-of-00002.safetensors") == test::noise(2000, 12));
}

TEST_F(PullTest, AMirrorWithoutDigestsIsAskedForHeaders) {
  server_.hide_digests();
  EXPECT_EQ(pull().files_fetched, 5);
  EXPECT_EQ(log_, "");
  server_.move_to(std::string(40, 'b'));
  server_.put_large(kWeights, test::noise(kSize, 2));
  server_.spoil_always(kWeights, [](const ServerRequest& request, ServerReply& reply) {
    if (request.method == "GET") test::flip_byte(5)(request, reply);
  });
  EXPECT_THAT(failure().what(), HasSubstr("came damaged"));
}

TEST_F(PullTest, ARepositoryWithoutSafetensorsIsRefusedBeforeAnythingIsFetched) {
  server_.erase(kWeights);
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("no weights in safetensors form"));
  EXPECT_TRUE(server_.ranges("tokenizer.json").empty());
}

TEST_F(PullTest, UnsafeNamesWriteNothing) {
  server_.put("../../escaped/adapter_config.json", "{}");
  EXPECT_THAT(failure().what(), HasSubstr("unsafe name"));
  EXPECT_FALSE(fs::exists(cache_.path("escaped")));
  EXPECT_FALSE(has_manifest());
}

TEST_F(PullTest, OfflineUsesWhatIsHereOrSaysWhatIsMissing) {
  options_.is_offline = true;
  EXPECT_THAT(failure().what(), HasSubstr("nothing of it is here"));
  EXPECT_TRUE(server_.hub_requests().empty());
  options_.is_offline = false;
  pull();
  const size_t before = server_.hub_requests().size();
  options_.is_offline = true;
  EXPECT_EQ(pull().files_fetched, 0);
  fs::remove(directory() + "/tokenizer.json");
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kNetwork);
  EXPECT_THAT(error.what(), HasSubstr("missing: tokenizer.json"));
  EXPECT_EQ(server_.hub_requests().size(), before);
}

TEST_F(PullTest, WithoutNetworkACompleteModelIsKeptWithAWarning) {
  pull();
  options_.hub.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(pull().files_fetched, 0);
  EXPECT_THAT(log_, HasSubstr("cannot ask whether acme/tiny has moved"));
  EXPECT_THAT(failure("acme/tiny@v2").what(), HasSubstr("no network?"));
}

TEST_F(PullTest, AModelLargerThanTheDiskIsRefusedBeforeItIsFetched) {
  server_.spoil_always("api", [](const ServerRequest&, ServerReply& reply) {
    const std::string size = std::to_string(kSize);
    for (size_t at = reply.body.find(size); at != std::string::npos; at = reply.body.find(size, at + 20)) {
      reply.body.replace(at, size.size(), "900000000000000000");
    }
    reply.headers.clear();
  });
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.what(), HasSubstr("not enough room: acme/tiny needs 9000000000"));
  EXPECT_EQ(content_requests(), 0u);
}

TEST_F(PullTest, AnUnwritableCacheIsNamed) {
  cache_.write("models", "a file where the directory should be");
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_THAT(error.what(), HasSubstr(cache_.path("models")));
}

TEST_F(PullTest, TwoProcessesDoNotWorkOnOneModel) {
  fs::create_directories(directory());
  const DirectoryLock lock(options_.models_dir, "acme--tiny");
  EXPECT_THAT(failure().what(), HasSubstr("another jina process"));
}

TEST_F(PullTest, StopsWhenAskedAndGoesOnLater) {
  server_.spoil(kWeights, {[](const ServerRequest&, ServerReply& reply) { reply.stall_after = 100'000; }});
  std::atomic<int64_t> done{0};
  options_.on_progress = [&](int64_t now, int64_t) { done = now; };
  options_.hub.http.is_cancelled = [&] { return done >= 105'000; };
  EXPECT_EQ(failure().kind(), ErrorKind::kCancelled);
  EXPECT_FALSE(has_manifest());
  options_.hub.http.is_cancelled = {};
  pull();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-"));
  EXPECT_TRUE(has_manifest());
}

}  // namespace
}  // namespace jina
