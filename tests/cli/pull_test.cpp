#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "support/child_process.h"
#include "support/fake_hub.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using test::ChildOptions;
using test::ChildProcess;
using test::ChildResult;
using test::FakeHub;
using test::ServerReply;
using test::ServerRequest;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kWeights[] = "model.safetensors";
constexpr size_t kSize = 300'000;

/// The program itself against a hub in this process, as a person would use it.
class PullCommand : public testing::Test {
 protected:
  PullCommand() { server_.put_model(kSize); }

  ChildOptions command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), JINA_BINARY);
    ChildOptions options{.arguments = std::move(arguments)};
    options.environment = {{"JINA_CACHE", cache_.path("jina")},
                           {"HF_HOME", cache_.path("huggingface")},
                           {"HF_ENDPOINT", server_.url()},
                           {"HOME", cache_.path()}};
    return options;
  }
  ChildResult run(const std::vector<std::string>& arguments) const { return test::run_child(command(arguments)); }
  std::string model_path(const std::string& file) const { return cache_.path("jina/models/acme--tiny/" + file); }

  FakeHub server_;
  test::TemporaryDirectory cache_;
};

TEST_F(PullCommand, PullListRemove) {
  const ChildResult empty = run({"models"});
  EXPECT_EQ(empty.exit_code, 0);
  EXPECT_THAT(empty.output, StartsWith("no models in "));

  const ChildResult pulled = run({"pull", "acme/tiny"});
  EXPECT_EQ(pulled.exit_code, 0) << pulled.errors;
  EXPECT_THAT(pulled.output, StartsWith("pulled acme/tiny (commit aaaa"));
  EXPECT_THAT(pulled.output, HasSubstr("5 files, 305.1 kB in " + cache_.path("jina")));
  EXPECT_EQ(pulled.errors, "") << "no progress unless on a terminal";
  EXPECT_TRUE(read_file(model_path(kWeights)) == test::noise(kSize));

  const ChildResult again = run({"pull", "acme/tiny"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, StartsWith("already here: acme/tiny"));
  EXPECT_EQ(server_.ranges(kWeights).size(), 1u);

  const ChildResult table = run({"models"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.output,
              testing::ContainsRegex("acme/tiny +305\\.[0-9] kB +main \\(aaaaaaaaaaaa\\) +complete +pulled"));
  const ChildResult json = run({"models", "--json"});
  EXPECT_THAT(json.output, HasSubstr("\"name\": \"acme/tiny\", \"revision\": \"main\", \"commit\": \"aaaa"));
  EXPECT_THAT(json.output, HasSubstr("\"complete\": true"));

  const ChildResult removed = run({"rm", "tiny"});
  EXPECT_EQ(removed.exit_code, 0);
  EXPECT_THAT(removed.output, testing::ContainsRegex("^removed acme/tiny \\(.*acme--tiny\\), 305\\.[0-9] kB freed\n$"));
  EXPECT_FALSE(fs::exists(model_path("")));
  EXPECT_EQ(run({"models", "--json"}).output, "[\n]\n");
}

TEST_F(PullCommand, WrongInputIsExitCode2) {
  const ChildResult bare = run({"pull", "tiny"});
  EXPECT_EQ(bare.exit_code, 2);
  EXPECT_THAT(bare.errors, HasSubstr("jina: error: tiny: expected ORG/NAME"));
  EXPECT_EQ(run({"pull", "../../etc"}).exit_code, 2);
  EXPECT_EQ(run({"pull"}).exit_code, 2);
  EXPECT_EQ(run({"rm", "acme/tiny"}).exit_code, 2);
  const ChildResult revision = run({"pull", "acme/tiny@v9"});
  EXPECT_EQ(revision.exit_code, 2);
  EXPECT_THAT(revision.errors, HasSubstr("acme/tiny has no revision 'v9'"));
}

TEST_F(PullCommand, FailedWorkIsExitCode1) {
  const ChildResult unknown = run({"pull", "acme/other"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("set HF_TOKEN"));
  for (const char* yes : {"1", "True", "ON"}) {
    ChildOptions offline = command({"pull", "acme/tiny"});
    offline.environment["HF_HUB_OFFLINE"] = yes;
    const ChildResult refused = test::run_child(offline);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, HasSubstr("HF_HUB_OFFLINE forbids to fetch it: nothing of it is here"));
  }
  EXPECT_TRUE(server_.ranges(kWeights).empty());
}

TEST_F(PullCommand, AFullDiskIsNamedAndThePartGoesOn) {
  ChildOptions options = command({"pull", "acme/tiny"});
  options.max_file_bytes = 100'000;
  const ChildResult full = test::run_child(options);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.errors, HasSubstr("model.safetensors.part: cannot write: File too large"));
  EXPECT_FALSE(fs::exists(model_path("jina-manifest.json")));
  EXPECT_THAT(run({"models"}).output, HasSubstr("incomplete"));
  EXPECT_EQ(run({"pull", "acme/tiny"}).exit_code, 0);
  EXPECT_EQ(server_.ranges(kWeights).back(), "bytes=100000-");
  EXPECT_TRUE(read_file(model_path(kWeights)) == test::noise(kSize));
}

TEST_F(PullCommand, CtrlCEndsWith130AndThePartGoesOn) {
  server_.spoil(kWeights, {[](const ServerRequest&, ServerReply& reply) { reply.stall_after = 100'000; }});
  ChildProcess child(command({"pull", "acme/tiny"}));
  const std::string part = model_path(".incoming/model.safetensors.part");
  std::error_code code;
  for (int i = 0; i < 1000 && (!fs::exists(part, code) || fs::file_size(part, code) < 100'000); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  child.send_signal(SIGINT);
  const ChildResult result = child.wait();
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.errors, HasSubstr("interrupted; what came is kept"));
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(fs::file_size(part), 100'000u);
  EXPECT_EQ(run({"pull", "acme/tiny"}).exit_code, 0);
  EXPECT_EQ(server_.ranges(kWeights).back(), "bytes=100000-");
}

TEST_F(PullCommand, ATerminalGetsAProgressBarForLongWork) {
  const auto slow = [](const ServerRequest&, ServerReply& reply) {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    reply.cut_after = 100'000;
  };
  server_.spoil(kWeights, {slow});
  ChildOptions options = command({"pull", "acme/tiny"});
  options.has_terminal = true;
  const ChildResult result = test::run_child(options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("acme/tiny ["));
  EXPECT_THAT(result.errors, HasSubstr(" of 305.1 kB"));
  EXPECT_THAT(result.output, Not(HasSubstr("[=")));
}

TEST_F(PullCommand, VerboseNamesTheFiles) {
  const ChildResult result = run({"pull", "--verbose", "acme/tiny"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("model.safetensors  300.0 kB\n"));
  EXPECT_THAT(result.errors, HasSubstr("1_Pooling/config.json  34 B\n"));
}

}  // namespace
}  // namespace jina
