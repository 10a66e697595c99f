#include "net/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "net/model_files.h"
#include "support/fake_hub.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::FakeHub;
using test::ServerReply;
using test::ServerRequest;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kWeights[] = "model.safetensors";
constexpr size_t kSize = 300'000;

/// A hub with one large file, and a directory to fetch it into.
class Download : public testing::Test {
 protected:
  Download() { server_.put_large(kWeights, content_); }

  /// As a process of its own would: a new listing, a new connection.
  void fetch(int attempts = 4) {
    Hub hub({.endpoint = server_.url(),
             .token = "hf_secret",
             .retry = {.attempts = attempts, .first_pause = std::chrono::milliseconds(1)}});
    const HubListing listing = hub.list({"acme", "tiny"});
    Downloader downloader(hub, {"acme", "tiny"}, listing.commit, {.is_cancelled = is_cancelled_},
                          [this](int64_t bytes) { gained_ += bytes; });
    downloader.fetch(*find_file(listing, kWeights), target());
  }
  Error failure(int attempts = 4) {
    try {
      fetch(attempts);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "expected an Error";
    return Error(ErrorKind::kInternal, "none");
  }
  std::string target() const { return directory_.path("weights"); }
  bool has_part() const { return std::filesystem::exists(target() + ".part"); }
  uintmax_t part_size() const { return std::filesystem::file_size(target() + ".part"); }
  void expect_whole() const {
    EXPECT_TRUE(read_file(target()) == content_);
    EXPECT_FALSE(has_part());
    EXPECT_FALSE(std::filesystem::exists(target() + ".etag"));
  }

  std::string content_ = test::noise(kSize);
  FakeHub server_;
  test::TemporaryDirectory directory_;
  std::function<bool()> is_cancelled_;
  int64_t gained_ = 0;
};

TEST_F(Download, FetchesThroughTheRedirect) {
  fetch();
  expect_whole();
  EXPECT_EQ(gained_, static_cast<int64_t>(kSize));
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre(""));
  ASSERT_EQ(server_.storage_requests().size(), 1u);
  EXPECT_EQ(server_.storage_requests()[0].header("authorization"), "") << "the token must not reach another host";
}

TEST_F(Download, ACutTransferGoesOnWhereItStopped) {
  server_.spoil(kWeights, {test::cut_after(100'000), test::cut_after(50'000)});
  fetch();
  expect_whole();
  EXPECT_EQ(gained_, static_cast<int64_t>(kSize));
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-", "bytes=150000-"));
  for (size_t i = 1; i < 3; ++i)
    EXPECT_THAT(server_.storage_requests()[i].header("if-range"), HasSubstr("of-storage-"));
}

TEST_F(Download, ALaterProcessGoesOnToo) {
  server_.spoil(kWeights, {test::cut_after(100'000)});
  const Error error = failure(1);
  EXPECT_EQ(error.kind(), ErrorKind::kNetwork);
  EXPECT_THAT(error.what(), HasSubstr("100000 of 300000 bytes are here; the same command goes on from them"));
  EXPECT_EQ(part_size(), 100'000u);
  EXPECT_FALSE(std::filesystem::exists(target()));
  gained_ = 0;
  fetch(1);
  expect_whole();
  EXPECT_EQ(gained_, static_cast<int64_t>(kSize)) << "bytes of the part count as here";
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-"));
}

TEST_F(Download, AWholePartIsOnlyChecked) {
  server_.spoil(kWeights, {test::cut_after(100'000)});
  failure(1);
  directory_.write("weights.part", content_);
  fetch(1);
  expect_whole();
  EXPECT_EQ(server_.ranges(kWeights).size(), 1u);
}

TEST_F(Download, AChangedRemoteFileIsTakenAnew) {
  server_.spoil(kWeights, {test::cut_after(100'000)});
  failure(1);
  content_ = test::noise(kSize, 2);
  server_.put_large(kWeights, content_);
  fetch(1);
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "")) << "the part was of another file";
}

TEST_F(Download, AnotherEtagMakesTheServerSendAll) {
  server_.set_storage_etag("first");
  server_.spoil(kWeights, {test::cut_after(100'000)});
  failure(1);
  server_.set_storage_etag("second");
  fetch(1);
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-"));
}

TEST_F(Download, AServerThatIgnoresTheRangeSendsAll) {
  server_.spoil(kWeights, {test::cut_after(100'000), [&](const ServerRequest&, ServerReply& reply) {
                             reply = {.status = 200, .body = content_};
                           }});
  fetch();
  expect_whole();
  EXPECT_EQ(gained_, static_cast<int64_t>(kSize));
}

TEST_F(Download, AnAnswerForAnotherRangeIsNotAppended) {
  const auto shifted = [&](const ServerRequest&, ServerReply& reply) {
    reply = {.status = 206, .headers = {{"Content-Range", "bytes 0-299999/300000"}}, .body = content_};
  };
  server_.spoil(kWeights, {test::cut_after(100'000), shifted});
  fetch();
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-", ""));
}

TEST_F(Download, ARangeOfAChangedFileIsNotAppended) {
  const auto other = [&](const ServerRequest&, ServerReply& reply) {
    reply.headers = {{"Content-Range", "bytes 100000-299999/300000"}, {"ETag", "\"other\""}};
  };
  server_.spoil(kWeights, {test::cut_after(100'000), other});
  fetch();
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-", ""));
}

TEST_F(Download, RangeNotSatisfiableStartsAnew) {
  server_.spoil(kWeights, {test::cut_after(100'000), test::answer_status(416)});
  fetch();
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-", ""));
}

TEST_F(Download, ADamagedFileIsTakenAnewAndThenRefused) {
  server_.spoil(kWeights, {test::flip_byte(1000)});
  fetch();
  expect_whole();
  std::filesystem::remove(target());
  server_.spoil_always(kWeights, test::flip_byte(1000));
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::kNetwork);
  EXPECT_THAT(error.what(), HasSubstr("came damaged 3 times: expected the digest "));
  EXPECT_FALSE(std::filesystem::exists(target())) << "a damaged file must not get the final name";
  EXPECT_EQ(part_size(), 0u);
}

TEST_F(Download, ADamagedPartIsFoundAtTheEnd) {
  server_.spoil(kWeights, {test::cut_after(100'000)});
  failure(1);
  directory_.write("weights.part", std::string(100'000, 'x'));
  fetch(1);
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=100000-", ""));
}

TEST_F(Download, AWrongLengthIsRefused) {
  server_.spoil_always(kWeights, [](const ServerRequest&, ServerReply& reply) { reply.body = "<html>log in</html>"; });
  EXPECT_THAT(failure().what(), HasSubstr("19 bytes were announced for model.safetensors, expected 300000"));
  server_.spoil_always(kWeights, [](const ServerRequest&, ServerReply& reply) {
    reply.body += "more";
    reply.has_length = false;
  });
  EXPECT_THAT(failure().what(), HasSubstr("longer than the 300000 bytes announced"));
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(Download, AnEndWithoutLengthCountsAsACut) {
  server_.spoil(kWeights, {[](const ServerRequest&, ServerReply& reply) {
                  reply.has_length = false;
                  reply.cut_after = 120'000;
                }});
  fetch();
  expect_whole();
  EXPECT_THAT(server_.ranges(kWeights), ElementsAre("", "bytes=120000-"));
}

TEST_F(Download, ACutThatNeverEndsIsGivenUp) {
  server_.spoil_always(kWeights, test::cut_after(10));
  const Error error = failure(4);
  EXPECT_THAT(error.what(), HasSubstr("40 of 300000 bytes are here"));
  EXPECT_EQ(server_.ranges(kWeights).size(), 4u);
}

TEST_F(Download, AHubThatLeadsToAnotherFileIsRefused) {
  const auto say = [](const char* name, const std::string& value) {
    return [=](const ServerRequest&, ServerReply& reply) {
      for (auto& [key, old] : reply.headers) {
        if (key == name) old = value;
      }
    };
  };
  server_.spoil("redirect", {say("X-Repo-Commit", std::string(40, 'f'))});
  EXPECT_THAT(failure().what(), HasSubstr("answered with commit ffff"));
  server_.spoil("redirect", {say("X-Linked-Etag", "\"" + std::string(64, '0') + "\"")});
  EXPECT_THAT(failure().what(), HasSubstr("answered with the file 0000"));
  EXPECT_EQ(part_size(), 0u);
  fetch();
  expect_whole();
}

TEST_F(Download, StopsWhenAskedAndKeepsThePart) {
  server_.spoil(kWeights, {[](const ServerRequest&, ServerReply& reply) { reply.stall_after = 100'000; }});
  is_cancelled_ = [this] { return gained_ >= 100'000; };
  EXPECT_EQ(failure().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(part_size(), 100'000u);
  is_cancelled_ = {};
  fetch();
  expect_whole();
}

TEST_F(Download, AnUnwritablePlaceIsNamed) {
  directory_.write("file", "not a directory");
  Hub hub({.endpoint = server_.url()});
  const HubListing listing = hub.list({"acme", "tiny"});
  Downloader downloader(hub, {"acme", "tiny"}, listing.commit, {}, {});
  try {
    downloader.fetch(*find_file(listing, kWeights), directory_.path("file/weights"));
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_THAT(error.what(), HasSubstr("file/weights.part"));
  }
}

}  // namespace
}  // namespace jina
