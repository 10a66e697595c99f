#include "cli/embed_job.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "support/expect_error.h"
#include "support/golden.h"
#include "support/jina_command.h"

namespace jina {
namespace {

using test::ChildOptions;
using test::ChildProcess;
using test::ChildResult;
using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(Shard, OwnsEveryNthRow) {
  const cli::Shard shard = cli::parse_shard("1/3");
  EXPECT_FALSE(shard.owns(0));
  EXPECT_TRUE(shard.owns(1));
  EXPECT_TRUE(shard.owns(4));
  for (const char* wrong : {"", "1", "/", "3/3", "-1/3", "1/0", "1/3x", "a/b", "1/"}) {
    test::expect_error(ErrorKind::kInvalidArgument, "expected I/N", [&] { cli::parse_shard(wrong); });
  }
}

/// Runs that are broken off and continued. Some rows are broken and skipped, so that their list is continued too.
class EmbedJobRun : public test::JinaCommand {
 protected:
  void write_rows(int count) {
    std::string rows;
    for (int i = 0; i < count; ++i) {
      rows +=
          i % 7 == 3 ? "{\"text\": 1}\n" : fmt::format("{{\"id\": {}, \"text\": \"row {} of many words\"}}\n", i, i);
    }
    files_.write("rows.jsonl", rows);
  }
  ChildOptions embed(const std::string& output, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"embed",
                                          "-m",
                                          model("bert-tiny-mean"),
                                          "--precision",
                                          "f32",
                                          "--threads",
                                          "1",
                                          "--on-error",
                                          "skip",
                                          "-i",
                                          files_.path("rows.jsonl"),
                                          "-o",
                                          files_.path(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return command(arguments);
  }
  /// Waits until the journal of a run is there; false when the run has ended before.
  bool wait_for_journal(const std::string& output) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline && !fs::exists(files_.path(output))) {
      if (fs::exists(files_.path(output + ".part.journal"))) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  void expect_same(const std::string& a, const std::string& b) const {
    EXPECT_TRUE(read_file(files_.path(a)) == read_file(files_.path(b))) << a << " and " << b << " differ";
    EXPECT_TRUE(read_file(files_.path(a + ".skipped.jsonl")) == read_file(files_.path(b + ".skipped.jsonl")));
    EXPECT_FALSE(fs::exists(files_.path(b + ".part")));
    EXPECT_FALSE(fs::exists(files_.path(b + ".part.journal")));
    EXPECT_FALSE(fs::exists(files_.path(b + ".skipped.jsonl.part")));
  }
};

TEST_F(EmbedJobRun, InterruptedRunGoesOn) {
  write_rows(6'000);
  ASSERT_EQ(run_child(embed("whole.jsonl")).exit_code, 0);

  ChildProcess child(embed("cut.jsonl"));
  ASSERT_TRUE(wait_for_journal("cut.jsonl"));
  child.send_signal(SIGINT);
  const ChildResult stopped = child.wait();
  ASSERT_EQ(stopped.exit_code, 130) << stopped.errors;
  EXPECT_THAT(stopped.errors, HasSubstr("the same command with --resume goes on from there"));
  EXPECT_FALSE(fs::exists(files_.path("cut.jsonl")));

  const ChildResult other = run_child(embed("cut.jsonl", {"--resume", "-d", "8"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.errors, HasSubstr("begun with other input or options"));

  const ChildResult resumed = run_child(embed("cut.jsonl", {"--resume"}));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, HasSubstr("857 rows were skipped"));
  expect_same("whole.jsonl", "cut.jsonl");

  const ChildResult again = run_child(embed("cut.jsonl", {"--resume"}));
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.errors, HasSubstr("nothing to do"));
}

TEST_F(EmbedJobRun, SlowKilledAtRandomMoments) {
  write_rows(6'000);
  for (const std::string ending : {".jsonl", ".json", ".npy", ".csv"}) {
    const std::string whole = "whole" + ending;
    const std::string cut = "cut" + ending;
    ASSERT_EQ(run_child(embed(whole)).exit_code, 0);
    const auto seed = static_cast<uint32_t>(ending.size() + ending.back());
    int kills = 0;
    for (uint32_t moment = seed; kills < 3; ++kills) {
      ChildProcess child(embed(cut, {"--resume"}));
      moment = moment * 1664525 + 1013904223;
      if (!wait_for_journal(cut)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(moment >> 23));  // up to half a second
      child.send_signal(SIGKILL);
      child.wait();
    }
    EXPECT_GE(kills, 1);
    EXPECT_EQ(run_child(embed(cut, {"--resume"})).exit_code, 0);
    expect_same(whole, cut);
  }
}

TEST_F(EmbedJobRun, OneRunAtATime) {
  write_rows(20'000);
  const ChildProcess child(embed("v.jsonl"));
  ASSERT_TRUE(wait_for_journal("v.jsonl"));
  const ChildResult second = run_child(embed("v.jsonl", {"--resume"}));
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.errors, HasSubstr("another run is writing it"));
}

TEST_F(EmbedJobRun, ShardsJoinToTheWhole) {
  write_rows(300);
  ASSERT_EQ(run_child(embed("whole.jsonl")).exit_code, 0);
  const auto whole = test::parse_lines(read_file(files_.path("whole.jsonl")));
  std::map<int64_t, std::shared_ptr<JsonDocument>> parts;
  for (const std::string shard : {"0/3", "1/3", "2/3"}) {
    const std::string output = "part" + shard.substr(0, 1);
    ASSERT_EQ(run_child(embed(output, {"--shard", shard})).exit_code, 0);
    for (const auto& row : test::parse_lines(read_file(files_.path(output)))) {
      EXPECT_TRUE(parts.emplace(row->root().at("index").as_int(), row).second) << "a row in two parts";
    }
    EXPECT_THAT(run_child(embed(output, {"--shard", shard})).errors, HasSubstr("nothing to do"));
  }
  ASSERT_EQ(parts.size(), whole.size());
  for (const auto& row : whole) {
    const Json part = parts.at(row->root().at("index").as_int())->root();
    EXPECT_EQ(part.at("id").dump(), row->root().at("id").dump());
    EXPECT_LE(test::max_difference(test::floats(part.at("embedding")), test::floats(row->root().at("embedding"))),
              1e-5);
  }
}

TEST_F(EmbedJobRun, InterruptWhileWaitingForInputIsNoEndOfInput) {
  const ChildResult result =
      shell("{ echo one; sleep 2; } | timeout --preserve-status -s INT 1 " JINA_BINARY " embed -m " +
            model("bert-tiny-mean") + " -o " + files_.path("v.jsonl"));
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_FALSE(fs::exists(files_.path("v.jsonl")));
}

}  // namespace
}  // namespace jina
