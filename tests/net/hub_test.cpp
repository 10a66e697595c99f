#include "net/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "net/model_files.h"
#include "support/fake_hub.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::FakeHub;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;
using testing::HasSubstr;

const ModelName kTiny{"acme", "tiny", "main"};

HubOptions options_for(const std::string& endpoint, const std::string& token = "") {
  return {.endpoint = endpoint, .token = token, .retry = {.attempts = 3, .first_pause = std::chrono::milliseconds(1)}};
}

/// The Error of a call; a failure of the test when there is none.
template <typename Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return Error(ErrorKind::kInternal, "none");
}

TEST(Hub, DigestsAreThoseOfGitAndSha256) {
  const test::TemporaryDirectory directory;
  directory.write("hello", "hello\n");
  directory.write("empty", "");
  // From `git hash-object` and `sha256sum`.
  EXPECT_EQ(FileDigest::of_file(directory.path("hello"), FileDigest::Kind::kGitSha1).hex,
            "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(FileDigest::of_file(directory.path("empty"), FileDigest::Kind::kGitSha1).hex,
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(FileDigest::of_file(directory.path("hello"), FileDigest::Kind::kSha256).hex,
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
}

TEST(Hub, EtagsTellTheirKind) {
  const std::string sha1(40, 'a');
  const std::string sha256(64, 'b');
  EXPECT_EQ(FileDigest::from_etag("\"" + sha1 + "\""), (FileDigest{FileDigest::Kind::kGitSha1, sha1}));
  EXPECT_EQ(FileDigest::from_etag("W/\"" + sha1 + "\""), (FileDigest{FileDigest::Kind::kGitSha1, sha1}));
  EXPECT_EQ(FileDigest::from_etag(sha256), (FileDigest{FileDigest::Kind::kSha256, sha256}));
  EXPECT_EQ(FileDigest::from_etag("\"of-storage-12\"").kind, FileDigest::Kind::kNone);
  EXPECT_EQ(FileDigest::from_etag(std::string(40, 'z')).kind, FileDigest::Kind::kNone);
}

TEST(Hub, ListsCommitAndFiles) {
  FakeHub server;
  server.put_model(1000);
  const HubListing listing = Hub(options_for(server.url() + "/")).list(kTiny);
  EXPECT_EQ(listing.commit, server.commit());
  const HubFile* weights = find_file(listing, "model.safetensors");
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->size, 1000);
  EXPECT_EQ(weights->digest.kind, FileDigest::Kind::kSha256);
  const HubFile* config = find_file(listing, "config.json");
  ASSERT_NE(config, nullptr);
  EXPECT_EQ(config->digest.kind, FileDigest::Kind::kGitSha1);
}

TEST(Hub, SendsTokenAndEncodesTheRevision) {
  FakeHub server;
  server.put_model(10);
  Hub(options_for(server.url(), "hf_secret")).list({"acme", "tiny", "refs/pr/1"});
  ASSERT_EQ(server.hub_requests().size(), 1u);
  EXPECT_EQ(server.hub_requests()[0].target, "/api/models/acme/tiny/revision/refs%2Fpr%2F1?blobs=true");
  EXPECT_EQ(server.hub_requests()[0].header("authorization"), "Bearer hf_secret");
}

TEST(Hub, HeadersFillInWhatTheListingLacks) {
  FakeHub server;
  server.put_model(1000);
  server.hide_digests();
  Hub hub(options_for(server.url()));
  const HubListing listing = hub.list(kTiny);
  HubFile weights = *find_file(listing, "model.safetensors");
  HubFile config = *find_file(listing, "config.json");
  EXPECT_FALSE(weights.size);
  hub.complete(kTiny, listing.commit, weights);
  hub.complete(kTiny, listing.commit, config);
  EXPECT_EQ(weights.size, 1000);
  EXPECT_EQ(weights.digest.kind, FileDigest::Kind::kSha256);  // of the hub, not the ETag of the storage
  EXPECT_EQ(config.digest.kind, FileDigest::Kind::kGitSha1);
}

TEST(Hub, PassingTroubleIsWaitedOut) {
  FakeHub server;
  server.put_model(10);
  server.spoil("api", {test::answer_status(503), test::answer_status(429)});
  EXPECT_EQ(Hub(options_for(server.url())).list(kTiny).commit, server.commit());
  EXPECT_EQ(server.hub_requests().size(), 3u);
  server.spoil_always("api", test::answer_status(502));
  const Error error = error_of([&] { Hub(options_for(server.url())).list(kTiny); });
  EXPECT_EQ(error.kind(), ErrorKind::kNetwork);
  EXPECT_THAT(error.what(), HasSubstr("HTTP status 502, expected the list of files of acme/tiny"));
  EXPECT_EQ(server.hub_requests().size(), 6u);
}

struct Refusal {
  int status;
  const char* code;
  ErrorKind kind;
  const char* says;
};

TEST(Hub, RefusalsSayWhatToDo) {
  for (const Refusal& refusal : {
           Refusal{401, "RepoNotFound", ErrorKind::kNetwork, "set HF_TOKEN"},
           Refusal{403, "GatedRepo", ErrorKind::kNetwork, "asks you to accept its terms"},
           Refusal{404, "RevisionNotFound", ErrorKind::kNotFound, "acme/tiny has no revision 'main'"},
           Refusal{404, "RepoNotFound", ErrorKind::kNotFound, "which the hub does not have"},
           Refusal{429, "", ErrorKind::kNetwork, "try again later"},
           Refusal{500, "", ErrorKind::kNetwork, "HTTP status 500"},
           Refusal{418, "", ErrorKind::kNetwork, "HTTP status 418"},
       }) {
    ScriptedServer server([&](const ServerRequest&) {
      return ServerReply{.status = refusal.status,
                         .headers = {{"X-Error-Code", refusal.code}, {"X-Error-Message", "said \x1b[31mso"}}};
    });
    const Error error = error_of([&] { Hub(options_for(server.url())).list(kTiny); });
    EXPECT_EQ(error.kind(), refusal.kind) << refusal.status;
    EXPECT_THAT(error.what(), HasSubstr(refusal.says));
    EXPECT_THAT(error.what(), HasSubstr(server.url())) << "names the place";
    EXPECT_THAT(error.what(), HasSubstr("said  [31mso")) << "no control characters of the other side";
  }
}

TEST(Hub, BrokenListingsAreNamed) {
  for (const auto& [body, says] : std::vector<std::pair<std::string, std::string>>{
           {"<html>log in</html>", "not valid JSON"},
           {R"({"siblings": []})", "'sha' is missing"},
           {R"({"sha": "../../etc", "siblings": []})", "40 hexadecimal digits"},
           {R"({"sha": ")" + std::string(40, 'a') + R"(", "siblings": [{"name": "x"}]})", "rfilename"},
           {"", "not valid JSON"},
       }) {
    ScriptedServer server([&, text = body](const ServerRequest&) { return ServerReply{.body = text}; });
    const Error error = error_of([&] { Hub(options_for(server.url())).list(kTiny); });
    EXPECT_EQ(error.kind(), ErrorKind::kNetwork) << body;
    EXPECT_THAT(error.what(), HasSubstr(says));
  }
}

TEST(Hub, EndpointAndTokenAreChecked) {
  EXPECT_THAT(error_of([] { Hub(options_for("huggingface.co")); }).what(), HasSubstr("HF_ENDPOINT"));
  EXPECT_THAT(error_of([] { Hub(options_for("file:///etc")); }).what(), HasSubstr("HF_ENDPOINT"));
  const Error error = error_of([] { Hub(options_for("http://h", "secret\r\nHost: x")); });
  EXPECT_THAT(error.what(), HasSubstr("HF_TOKEN"));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace jina
