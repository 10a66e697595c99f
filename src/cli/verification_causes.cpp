#include "cli/verification_causes.h"

#include <algorithm>
#include <map>

#include "cli/verification_vectors.h"
#include "ops/packed.h"

namespace jina::cli {

namespace {

std::optional<Pooling> parse_pooling(const std::optional<std::string>& name) {
  if (name == "mean") return Pooling::kMean;
  if (name == "cls") return Pooling::kCls;
  if (name == "last") return Pooling::kLast;
  return std::nullopt;
}

/// Tries what would explain vectors that differ.
class Diagnosis {
 public:
  Diagnosis(const LoadedModel& model, const Expectation& expectation, Findings& findings)
      : model_(model),
        expectation_(expectation),
        findings_(findings),
        published_{.use_published_ids = true, .pooling = parse_pooling(expectation.pooling)} {}

  void run();

 private:
  bool is_ok_with(const ExpectedRun& run, std::optional<int32_t> adapter) const;
  bool is_base_ok() const;
  std::string task_that_explains(const ExpectedRun& run) const;
  void compare_adapters();
  void name_weights();
  std::string guess_of_weights() const;
  void add(std::string cause) { findings_.report.causes.push_back(std::move(cause)); }

  const LoadedModel& model_;
  const Expectation& expectation_;
  Findings& findings_;
  Variation published_;
  std::vector<const ExpectedRun*> left_;  // failed runs that the files' facts do not explain
  bool are_adapters_exchanged_ = false;
};

constexpr std::string_view kBase = "(no adapter)";

bool Diagnosis::is_ok_with(const ExpectedRun& run, std::optional<int32_t> adapter) const {
  Variation variation = published_;
  variation.adapter = adapter;
  return measure_run(model_, run, variation).is_ok();
}

/// Whether the vectors without a task were published and are right: then the weights below the adapters are.
bool Diagnosis::is_base_ok() const {
  const auto is_base = [](const ExpectedRun& run) { return run.task.empty(); };
  const auto is_left = [](const ExpectedRun* run) { return run->task.empty(); };
  return std::ranges::any_of(expectation_.runs, is_base) && std::ranges::none_of(left_, is_left);
}

/// The task whose adapter gives the published vectors of `run`; kBase when none at all does; "" when nothing fits.
std::string Diagnosis::task_that_explains(const ExpectedRun& run) const {
  for (const TaskInfo& task : model_.card.tasks) {
    if (task.adapter != kNoAdapter && task.name != run.task && is_ok_with(run, task.adapter)) return task.name;
  }
  return is_ok_with(run, kNoAdapter) ? std::string(kBase) : "";
}

void Diagnosis::compare_adapters() {
  std::map<std::string, std::string> explained_by;
  for (const ExpectedRun* run : left_) {
    if (!run->task.empty() && !explained_by.contains(run->task)) explained_by[run->task] = task_that_explains(*run);
  }
  for (const auto& [task, other] : explained_by) {
    const auto back = explained_by.find(other);
    const bool is_swap = back != explained_by.end() && back->second == task;
    are_adapters_exchanged_ |= !other.empty();
    if (is_swap && task < other) add(fmt::format("the adapters of {} and {} are swapped", task, other));
    if (is_swap) continue;
    if (other == kBase) {
      add(fmt::format("the adapter of {} does nothing: its published vectors are those of the base model", task));
    } else if (!other.empty()) {
      add(fmt::format("the published vectors of {} are those of the adapter of {}", task, other));
    } else if (is_base_ok()) {
      add(fmt::format("the adapter of {} differs; the base model is right", task));
    }
  }
}

void Diagnosis::name_weights() {
  if (!findings_.tensors.empty() && findings_.tensors.size() == expectation_.tensors.size()) {
    add("every tensor differs: another checkpoint, or one stored in fewer bits");
  } else if (!findings_.tensors.empty()) {
    add("weights differ: " + list_some(findings_.tensors));
  } else if (!left_.empty() && !is_base_ok()) {
    const Distance distance = measure_run(model_, *left_.front(), published_);
    add(fmt::format("{}: by the published token ids and pooling still off by {:.3g} ({})", guess_of_weights(),
                    distance.difference, distance.where));
  }
}

/// What is left to be wrong when tokens, pooling and adapters are as published.
std::string Diagnosis::guess_of_weights() const {
  const bool is_config = !expectation_.tensors.empty();  // none of them differs
  if (!expectation_.config.empty() && !findings_.has_config_number) {
    const auto& [key, value] = expectation_.config.front();
    return fmt::format("{}{} = {}, which config.json does not state", is_config ? "" : "a weight differs, or ", key,
                       value);
  }
  return is_config ? "config.json differs (the weights are as published)" : "a weight differs";
}

void Diagnosis::run() {
  for (const ExpectedRun* run : findings_.failed_runs) {
    if (!is_ok_with(*run, std::nullopt)) left_.push_back(run);
  }
  if (findings_.is_explained) left_.clear();
  compare_adapters();
  if (!are_adapters_exchanged_) name_weights();
}

}  // namespace

std::string list_some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string list;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) list += (i > 0 ? "; " : "") + names[i];
  return names.size() > kShown ? fmt::format("{} and {} more", list, names.size() - kShown) : list;
}

void find_causes(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  if (!findings.report.is_ok()) Diagnosis(model, expectation, findings).run();
}

}  // namespace jina::cli
