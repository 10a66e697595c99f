#include "cli/train_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jina {
namespace {

using cli::progress_text;
using cli::TrainProgress;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::SizeIs;

StepReport step(int64_t number, const std::string& stage = "pairs", int64_t tokens = 100) {
  return {.stage = stage,
          .step = number,
          .steps = 1000,
          .overall = number,
          .overall_steps = 2000,
          .loss = 0.25,
          .tokens = tokens,
          .seconds = 1};
}

TEST(ProgressText, HidesWhatIsNotKnown) {
  StepReport report = step(3);
  EXPECT_EQ(progress_text(report, 0, 0), "pairs 3/1000  loss 0.2500");
  EXPECT_EQ(progress_text(report, 1234.6, 0.5), "pairs 3/1000  loss 0.2500  1235 tokens/s  16:38 left");
  EXPECT_EQ(progress_text(report, 10, 10), "pairs 3/1000  loss 0.2500  10 tokens/s  5:32:50 left");
  report.memory_bytes = 1'500'000'000;
  report.overall = 2000;
  EXPECT_EQ(progress_text(report, 10, 10), "pairs 3/1000  loss 0.2500  10 tokens/s  1.5 GB");
}

class TrainProgressTest : public testing::Test {
 protected:
  TrainProgress::Write write() {
    return [this](const std::string& text) { written_.push_back(text); };
  }
  std::vector<std::string> written_;
  TrainProgress::Clock::time_point start_ = TrainProgress::Clock::now();
};

TEST_F(TrainProgressTest, PlainLinesComeNowAndThen) {
  TrainProgress progress(false, write());
  for (int64_t number = 2; number < 102; ++number) progress.step(step(number), start_ + milliseconds(300 * number));
  EXPECT_THAT(written_, SizeIs(3)) << "30 seconds";
  progress.step(step(1000), start_ + milliseconds(31'000));
  EXPECT_THAT(written_, SizeIs(4)) << "the last step of a stage always";
  progress.finish();
  EXPECT_THAT(written_, SizeIs(4));
  for (const std::string& line : written_) EXPECT_EQ(line.back(), '\n');
}

TEST_F(TrainProgressTest, TheTerminalLineMakesWay) {
  TrainProgress progress(true, write());
  progress.step(step(1), start_);
  progress.step(step(2), start_ + milliseconds(50));
  progress.line("checkpoint");
  progress.line("more");
  progress.step(step(3), start_ + milliseconds(400));
  progress.finish();
  progress.finish();
  EXPECT_THAT(written_,
              ElementsAre("\rpairs 1/1000  loss 0.2500  100 tokens/s  33:19 left\x1b[K", "\r\x1b[Kcheckpoint\n",
                          "more\n", "\rpairs 3/1000  loss 0.2500  100 tokens/s  33:17 left\x1b[K", "\n"));
}

TEST_F(TrainProgressTest, SpeedIsOfLateAndOfTheStage) {
  TrainProgress progress(false, write());
  for (int64_t number = 2; number <= 40; ++number) progress.step(step(number, "a", number < 20 ? 1 : 500), start_);
  progress.step(step(1000, "a", 500), start_);
  EXPECT_THAT(written_.back(), testing::HasSubstr("500 tokens/s"));
  progress.step(step(1, "b", 70), start_);
  EXPECT_THAT(written_.back(), testing::HasSubstr("b 1/1000  loss 0.2500  70 tokens/s"));
}

}  // namespace
}  // namespace jina
