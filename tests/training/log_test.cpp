#include "training/log.h"

#include <cmath>

#include "base/file.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

StepReport step(int64_t overall, double seconds = 0.5) {
  return {.stage = "pairs",
          .step = overall,
          .steps = 10,
          .overall = overall,
          .overall_steps = 20,
          .loss = 1.0 / static_cast<double>(overall),
          .terms = {{"gor", 0.1}, {"info_nce", 3e-5}},
          .gradient_norm = 0.7,
          .learning_rate = 1e-4,
          .tokens = 4096,
          .seconds = seconds,
          .memory_bytes = int64_t{5} << 30};
}

class RunLogTest : public testing::Test {
 protected:
  std::string path() const { return files_.path("log.jsonl"); }
  /// Steps `first` to `last`, an evaluation after every second one.
  static void write_steps(RunLog& log, int64_t first, int64_t last, double seconds = 0.5) {
    for (int64_t overall = first; overall <= last; ++overall) {
      log.write_step(step(overall, seconds));
      if (overall % 2 == 0) log.write_evaluation({"dev", "spearman", "pairs", overall, 0.8});
    }
  }
  static void write_beginning(RunLog& log) {
    log.write_start({{"device", "cpu"}, {"recipe", "line 1\n\"line 2\""}});
    log.write_data({.name = "a", .numbers = {{"rows", 12}}, .removed = {{"duplicates", 3}}});
  }

  test::TemporaryDirectory files_;
};

TEST_F(RunLogTest, ReadsWhatWasWritten) {
  RunLog log = RunLog::create(path());
  EXPECT_TRUE(log.is_new());
  write_beginning(log);
  EXPECT_FALSE(log.is_new());
  write_steps(log, 1, 3);
  const RunHistory history = read_log(path());
  EXPECT_EQ(history.facts.at("recipe"), "line 1\n\"line 2\"");
  ASSERT_EQ(history.data.size(), 1u);
  EXPECT_EQ(history.data[0].numbers.at("rows"), 12);
  EXPECT_EQ(history.data[0].removed.at("duplicates"), 3);
  ASSERT_EQ(history.steps.size(), 3u);
  const StepReport& last = history.steps[2];
  EXPECT_EQ(last.stage, "pairs");
  EXPECT_EQ(last.step, 3);
  EXPECT_EQ(last.steps, 10);
  EXPECT_EQ(last.overall, 3);
  EXPECT_EQ(last.overall_steps, 20);
  EXPECT_EQ(last.loss, 1.0 / 3) << "to the last bit";
  EXPECT_THAT(last.terms, ElementsAre(Pair("gor", 0.1), Pair("info_nce", 3e-5)));
  EXPECT_EQ(last.gradient_norm, 0.7);
  EXPECT_EQ(last.learning_rate, 1e-4);
  EXPECT_EQ(last.tokens, 4096);
  EXPECT_EQ(last.seconds, 0.5);
  EXPECT_EQ(last.memory_bytes, int64_t{5} << 30);
  ASSERT_EQ(history.evaluations.size(), 1u);
  EXPECT_EQ(history.evaluations[0].name, "dev");
  EXPECT_EQ(history.evaluations[0].metric, "spearman");
  EXPECT_EQ(history.evaluations[0].stage, "pairs");
  EXPECT_EQ(history.evaluations[0].overall, 2);
  EXPECT_EQ(history.evaluations[0].value, 0.8);
}

TEST_F(RunLogTest, EachLineIsThereAtOnce) {
  RunLog log = RunLog::create(path());
  write_steps(log, 1, 1);
  EXPECT_EQ(read_log(path()).steps.size(), 1u) << "while the log is still open";
}

TEST_F(RunLogTest, ResumedEqualsNeverStopped) {
  {
    RunLog whole = RunLog::create(path());
    write_beginning(whole);
    write_steps(whole, 1, 6);
  }
  const std::string expected = read_file(path());
  for (const int64_t checkpoint : {0, 1, 2, 4, 6}) {
    {
      RunLog stopped = RunLog::create(path());
      write_beginning(stopped);
      write_steps(stopped, 1, checkpoint);
      write_steps(stopped, checkpoint + 1, 6, 9.0);  // what came behind the checkpoint is done again
    }
    files_.write("log.jsonl", read_file(path()) + "{\"event\":\"step\",\"stage\":\"pa");  // killed while writing
    RunLog resumed = RunLog::resume(path(), checkpoint);
    EXPECT_FALSE(resumed.is_new());
    write_steps(resumed, checkpoint + 1, 6);
    EXPECT_EQ(read_file(path()), expected) << checkpoint;
  }
}

TEST_F(RunLogTest, ResumingWhatIsNotThere) {
  EXPECT_TRUE(RunLog::resume(path(), 5).is_new());
  files_.write("log.jsonl", "{\"event\":\"sta");
  EXPECT_TRUE(RunLog::resume(path(), 5).is_new());
  EXPECT_EQ(read_file(path()), "");
}

TEST_F(RunLogTest, WhatIsNotFinite) {
  RunLog log = RunLog::create(path());
  StepReport report = step(1);
  report.loss = std::nan("");
  report.terms = {{"x", INFINITY}};
  log.write_step(report);
  EXPECT_THAT(read_file(path()), HasSubstr("\"loss\":null,\"terms\":{\"x\":null}"));
  EXPECT_TRUE(std::isnan(read_log(path()).steps.at(0).loss));
  EXPECT_TRUE(std::isnan(read_log(path()).steps[0].terms.at("x")));
}

TEST_F(RunLogTest, Errors) {
  test::expect_error(ErrorKind::kIo, "cannot be written", [&] { RunLog::create(files_.path("no/log.jsonl")); });
  test::expect_error(ErrorKind::kNotFound, "log.jsonl", [&] { read_log(path()); });
  files_.write("log.jsonl", "{\"event\":\"start\",\"facts\":{}}\nnot json\n");
  test::expect_error(ErrorKind::kInvalidInput, "log.jsonl:2", [&] { read_log(path()); });
  files_.write("log.jsonl", "{\"event\":\"party\"}\n");
  test::expect_error(ErrorKind::kInvalidInput, "log.jsonl:1", [&] { read_log(path()); });
}

TEST_F(RunLogTest, FullDisk) {
  RunLog log = RunLog::create("/dev/full");
  test::expect_error(ErrorKind::kIo, "/dev/full", [&] { log.write_step(step(1)); });
}

}  // namespace
}  // namespace jina
