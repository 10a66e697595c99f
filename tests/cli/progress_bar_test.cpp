#include "cli/progress_bar.h"

#include <gtest/gtest.h>

#include <thread>

namespace jina::cli {
namespace {

TEST(ProgressBar, ShowsNothingForShortWork) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("work", true);
    bar.update(0, 100);
    bar.update(100, 100);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(ProgressBar, DrawsLongWorkAndWipesTheLine) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("work", true);
    bar.update(0, 4000);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    bar.update(1000, 4000);
  }
  const std::string drawn = testing::internal::GetCapturedStderr();
  EXPECT_NE(drawn.find("work [======                  ]  25%  1.0 kB of 4.0 kB"), std::string::npos) << drawn;
  EXPECT_TRUE(drawn.ends_with("\r\x1b[K"));
}

TEST(ProgressBar, StaysSilentWithoutATerminal) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("work", false);
    bar.update(0, 100);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    bar.update(50, 100);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace jina::cli
