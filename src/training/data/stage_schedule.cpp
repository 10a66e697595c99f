#include "training/data/stage_schedule.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

/// A choice among entries by their rates.
class Wheel {
 public:
  void add(int32_t entry, double rate) {
    entries_.push_back(entry);
    ends_.push_back(rate + (ends_.empty() ? 0 : ends_.back()));
  }
  bool is_empty() const { return ends_.empty() || !(ends_.back() > 0); }
  /// `at` in [0, 1).
  int32_t pick(double at) const {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), at * ends_.back());
    const auto place = static_cast<size_t>(std::min(end, ends_.end() - 1) - ends_.begin());
    return entries_[place];
  }

 private:
  std::vector<int32_t> entries_;
  std::vector<double> ends_;
};

/// The data of one objective: one wheel, or one per language that they take turns over.
struct Objective {
  std::vector<std::string> languages;
  std::vector<Wheel> wheels;
  int64_t turns = 0;  // steps so far
};

std::vector<Objective> group_data(const StageDraws& draws) {
  std::vector<Objective> objectives(draws.objective_rates.size());
  for (size_t i = 0; i < draws.data.size(); ++i) {
    const DataDraw& data = draws.data[i];
    const auto o = static_cast<size_t>(data.objective);
    JINA_CHECK(o < objectives.size());
    Objective& objective = objectives[o];
    const std::string language = draws.rotates_languages[o] != 0 ? data.language : std::string();
    const auto place = std::find(objective.languages.begin(), objective.languages.end(), language);
    const auto wheel = static_cast<size_t>(place - objective.languages.begin());
    if (place == objective.languages.end()) {
      objective.languages.push_back(language);
      objective.wheels.emplace_back();
    }
    objective.wheels[wheel].add(static_cast<int32_t>(i), data.rate);
  }
  return objectives;
}

}  // namespace

StageSchedule schedule_stage(const StageDraws& draws, int64_t steps) {
  std::vector<Objective> objectives = group_data(draws);
  Wheel wheel;
  for (size_t o = 0; o < objectives.size(); ++o) {
    const auto& wheels = objectives[o].wheels;
    if (wheels.empty() || std::any_of(wheels.begin(), wheels.end(), [](const Wheel& w) { return w.is_empty(); })) {
      fail(ErrorKind::kInvalidInput, draws.stage, "objective {} has no data with a rate above 0", o + 1);
    }
    wheel.add(static_cast<int32_t>(o), draws.objective_rates[o]);
  }
  if (wheel.is_empty()) fail(ErrorKind::kInvalidInput, draws.stage, "expected an objective with a rate above 0");
  const CounterRng objective_draws(draws.seed, draws.stage + "/objectives");
  const CounterRng data_draws(draws.seed, draws.stage + "/data");
  StageSchedule schedule;
  std::vector<int64_t> taken(draws.data.size(), 0);
  for (uint64_t step = 0; step < static_cast<uint64_t>(steps); ++step) {
    Objective& objective = objectives[static_cast<size_t>(wheel.pick(objective_draws.uniform(step)))];
    const auto turn = static_cast<size_t>(objective.turns++) % objective.wheels.size();
    const int32_t data = objective.wheels[turn].pick(data_draws.uniform(step));
    schedule.data.push_back(data);
    schedule.turns.push_back(taken[static_cast<size_t>(data)]++);
  }
  return schedule;
}

double default_rate(int64_t rows, double temperature) { return std::pow(static_cast<double>(rows), 1.0 / temperature); }

RankRows rows_of_rank(int64_t rows, int rank, int ranks) { return {rank * rows / ranks, (rank + 1) * rows / ranks}; }

}  // namespace jina
