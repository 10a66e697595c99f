#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "training/library.h"

namespace jina {

/// What is known of one data set before the first step.
struct DataRecord {
  std::string name;
  std::map<std::string, double> numbers{};   ///< rows, tokens and so on, by what they are
  std::map<std::string, int64_t> removed{};  ///< rows that a filter took, by its name
  std::vector<std::string> notes{};          ///< for people: examples of what was removed; not logged

  bool operator==(const DataRecord&) const = default;
};

/// One value of an [[evaluate]].
struct EvaluationRecord {
  std::string name;
  std::string metric;
  std::string stage;
  int64_t overall = 0;  ///< after this step of the run
  double value = 0;
};

/// The log of a run: JSON lines, one event each, flushed line by line. Steps and evaluations carry the step of the run,
/// so that a resumed run can cut off what is newer than its checkpoint: but for the times, its log is then that of a
/// run that never stopped. For that, evaluations of a step are written before its checkpoint.
///
///     RunLog log = resumed ? RunLog::resume(path, checkpoint.overall) : RunLog::create(path);
///     if (log.is_new()) log.write_start({{"device", "cuda"}});
///     log.write_step(report);
class RunLog {
 public:
  /// An empty log in place of what lies there. Errors: kIo.
  static RunLog create(const std::string& path);
  /// Keeps the lines up to and with step `overall`; an absent log is a new one. Errors: kIo.
  static RunLog resume(const std::string& path, int64_t overall);

  /// Whether nothing is in it yet.
  bool is_new() const { return is_new_; }

  /// Versions, device, digests: anything worth knowing of the run as a whole. Error kIo, as the others.
  void write_start(const std::map<std::string, std::string>& facts);
  void write_data(const DataRecord& record);
  void write_step(const StepReport& report);
  void write_evaluation(const EvaluationRecord& record);

 private:
  RunLog(std::string path, bool is_new);
  void write_line(const std::string& line);

  std::string path_;
  std::ofstream file_;
  bool is_new_;
};

/// What a log holds.
struct RunHistory {
  std::map<std::string, std::string> facts;
  std::vector<DataRecord> data;
  std::vector<StepReport> steps;
  std::vector<EvaluationRecord> evaluations;
};

/// Reads a log, also of a run that is under way: a last line without its end is left out. Numbers that are not finite
/// were written as null and read as NaN. Errors: kNotFound, kIo, kInvalidInput naming file and line.
RunHistory read_log(const std::string& path);

}  // namespace jina
