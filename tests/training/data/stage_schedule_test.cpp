#include "training/data/stage_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "support/expect_error.h"

namespace jina {
namespace {

StageDraws make_draws() {
  StageDraws draws;
  draws.seed = 7;
  draws.stage = "pairs";
  draws.objective_rates = {3, 1};
  draws.rotates_languages = {0, 0};
  draws.data = {{0, "", 1}, {0, "", 2.5}, {0, "", 0}, {1, "", 4}, {1, "", 1}};
  return draws;
}

TEST(StageSchedule, RatesHoldWithinWhatChanceAllows) {
  const StageDraws draws = make_draws();
  constexpr int64_t kSteps = 20'000;
  const StageSchedule schedule = schedule_stage(draws, kSteps);
  std::vector<double> counts(draws.data.size());
  for (const int32_t data : schedule.data) counts[static_cast<size_t>(data)] += 1;
  const std::vector<double> shares{0.75 / 3.5, 0.75 * 2.5 / 3.5, 0, 0.25 * 0.8, 0.25 * 0.2};
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = shares[i] * kSteps;
    if (expected == 0) {
      EXPECT_EQ(counts[i], 0);
      continue;
    }
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 16.3) << "three degrees of freedom: exceeded once in a thousand times";
}

TEST(StageSchedule, LongerSchedulesBeginWithShorterOnes) {
  const StageSchedule all = schedule_stage(make_draws(), 1000);
  const StageSchedule some = schedule_stage(make_draws(), 400);
  for (size_t step = 0; step < 400; ++step) {
    EXPECT_EQ(all.data[step], some.data[step]);
    EXPECT_EQ(all.turns[step], some.turns[step]);
  }
}

TEST(StageSchedule, TurnsCountTheStepsOfADataSet) {
  const StageSchedule schedule = schedule_stage(make_draws(), 500);
  std::map<int32_t, int64_t> next;
  for (size_t step = 0; step < 500; ++step) EXPECT_EQ(schedule.turns[step], next[schedule.data[step]]++);
}

TEST(StageSchedule, SeedAndStageDecide) {
  const auto first = schedule_stage(make_draws(), 200).data;
  StageDraws other = make_draws();
  other.seed = 8;
  EXPECT_NE(schedule_stage(other, 200).data, first);
  other = make_draws();
  other.stage = "adapters";
  EXPECT_NE(schedule_stage(other, 200).data, first);
}

TEST(StageSchedule, LanguagesTakeTurns) {
  StageDraws draws = make_draws();
  draws.objective_rates = {1};
  draws.rotates_languages = {1};
  draws.data = {{0, "en", 5}, {0, "de", 1}, {0, "en", 5}, {0, "fr", 100}};
  const StageSchedule schedule = schedule_stage(draws, 3000);
  const std::vector<std::string> turns{"en", "de", "fr"};
  double first = 0;
  for (size_t step = 0; step < 3000; ++step) {
    const auto data = static_cast<size_t>(schedule.data[step]);
    ASSERT_EQ(draws.data[data].language, turns[step % 3]);
    first += data == 0 ? 1 : 0;
  }
  EXPECT_NEAR(first / 1000, 0.5, 4 * std::sqrt(0.25 / 1000)) << "the rates hold within a language";
}

TEST(StageSchedule, NothingToDrawIsAnError) {
  StageDraws draws = make_draws();
  draws.objective_rates = {1, 1, 1};
  draws.rotates_languages = {0, 0, 0};
  test::expect_error(ErrorKind::kInvalidInput, "pairs: objective 3 has no data", [&] { schedule_stage(draws, 1); });
  draws = make_draws();
  draws.objective_rates = {0, 0};
  test::expect_error(ErrorKind::kInvalidInput, "an objective with a rate above 0", [&] { schedule_stage(draws, 1); });
}

TEST(DefaultRate, RootOfTheRows) {
  EXPECT_DOUBLE_EQ(default_rate(400, 2), 20);
  EXPECT_DOUBLE_EQ(default_rate(400, 1), 400);
}

TEST(RowsOfRank, RanksShareAllRowsInOrder) {
  for (const int64_t rows : {0, 1, 7, 8, 2048}) {
    for (const int ranks : {1, 2, 3, 8}) {
      int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto [begin, end] = rows_of_rank(rows, rank, ranks);
        EXPECT_EQ(begin, next);
        EXPECT_LE(end - begin, rows / ranks + 1);
        next = end;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

}  // namespace
}  // namespace jina
