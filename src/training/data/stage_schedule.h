#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jina {

/// One data set as one objective of a stage draws from it.
struct DataDraw {
  int32_t objective = 0;  ///< place in the stage
  std::string language;   ///< "": none
  double rate = 1;        ///< relative to the objective's other data sets
};

/// How often an objective and, in it, a data set is drawn.
struct StageDraws {
  uint64_t seed = 0;
  std::string stage;                    ///< name; stages of one run draw apart from each other
  std::vector<double> objective_rates;  ///< (objectives)
  /// (objectives) 1: the languages of the objective's data take turns, and the rates hold within a language.
  std::vector<uint8_t> rotates_languages;
  std::vector<DataDraw> data;
};

/// What each step of a stage takes. A longer schedule begins with the shorter one, so a resumed run only computes it
/// anew.
struct StageSchedule {
  std::vector<int32_t> data;   // (steps) place in StageDraws::data
  std::vector<int64_t> turns;  // (steps) how many earlier steps took the same data set
};

/// Step k draws its objective with p_o = r_o / sum r, then one of its data sets with p_i = r_i / sum r; both draws are
/// functions of (seed, stage, k) alone. Errors: kInvalidInput for an objective without data or without a positive rate.
StageSchedule schedule_stage(const StageDraws& draws, int64_t steps);

/// The rate of a data set for which the recipe gives none: rows^(1 / temperature).
double default_rate(int64_t rows, double temperature);

/// Rows of a joined batch that a rank works on: [rank * rows / ranks, (rank + 1) * rows / ranks).
struct RankRows {
  int64_t begin = 0;
  int64_t end = 0;
};
RankRows rows_of_rank(int64_t rows, int rank, int ranks);

}  // namespace jina
