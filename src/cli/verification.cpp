#include "cli/verification.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "base/sha256.h"
#include "cli/verification_causes.h"
#include "cli/verification_vectors.h"
#include "weights/safetensors.h"

namespace jina::cli {

namespace {

/// Texts to token ids: the expected instruction in front, so that only the tokenizer can be wrong.
void check_tokenizer(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  Check check{.name = "tokenizer"};
  size_t compared = 0;
  for (const ExpectedRun& run : expectation.runs) {
    for (const ExpectedText& text : run.texts) {
      if (text.ids.empty()) continue;
      const std::string prompt = run.has_instruction ? expectation.instruction(run.task) : "";
      const int64_t length = expectation.max_tokens.value_or(model.card.max_tokens);
      const auto ids = model.tokenizer->encode(prompt + text.text, {.max_length = length}).ids;
      ++compared;
      if (!check.is_ok || ids == text.ids) continue;
      check.is_ok = false;
      const auto [found, wanted] = std::ranges::mismatch(ids, text.ids);
      check.note =
          fmt::format("text {}: token {} is {}, expected {}", &text - run.texts.data(), found - ids.begin(),
                      found == ids.end() ? "missing" : fmt::format("{} '{}'", *found, model.tokenizer->token(*found)),
                      wanted == text.ids.end() ? "no token" : fmt::format("{}", *wanted));
    }
  }
  if (compared == 0) return;
  if (check.is_ok) check.note = fmt::format("ids of {} texts", compared);
  if (!check.is_ok) findings.report.causes.push_back("the tokenizer differs: " + check.note);
  findings.report.checks.push_back(std::move(check));
}

void check_fact(Findings& findings, const std::string& name, const std::string& found, const std::string& expected) {
  Check check{.name = name, .is_ok = found == expected, .note = found};
  if (!check.is_ok) {
    check.note = fmt::format("{}, expected {}", found, expected);
    findings.report.causes.push_back(fmt::format("{} is {}", name, check.note));
  }
  findings.report.checks.push_back(std::move(check));
}

/// Numbers of config.json; transformers 5 keeps those of the rotary positions in an object of their own.
void check_config(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  const ModelDirectory directory = ModelDirectory::open(model.card.directory);
  const Json config = directory.config();
  const auto inner = config.find("rope_parameters");
  for (const auto& [key, expected] : expectation.config) {
    auto found = config.find(key);
    if (!found && inner) found = inner->find(key);
    if (!found) continue;
    findings.has_config_number = true;
    const std::string name = fmt::format("{} in config.json", key);
    const bool is_rotary = key.starts_with("rot") || key.starts_with("rope");
    const bool was_ok = found->as_double() == expected;
    if (!was_ok) findings.is_explained = true;
    check_fact(findings, is_rotary ? fmt::format("the rotary base ({})", name) : name,
               fmt::format("{}", found->as_double()), fmt::format("{}", expected));
  }
}

void check_instructions(const LoadedModel& model, const std::vector<ExpectedTask>& tasks, Findings& findings) {
  Check check{.name = "instructions", .note = fmt::format("of {} tasks", tasks.size())};
  for (const ExpectedTask& task : tasks) {
    const auto found = std::ranges::find(model.card.tasks, task.name, &TaskInfo::name);
    if (found == model.card.tasks.end() || found->prompt == task.instruction) continue;
    const std::string note = found->prompt.empty() ? fmt::format("the instruction of {} is dropped, expected \"{}\"",
                                                                 task.name, task.instruction)
                                                   : fmt::format("the instruction of {} is \"{}\", expected \"{}\"",
                                                                 task.name, found->prompt, task.instruction);
    check.note = check.is_ok ? note : check.note + "; " + note;
    check.is_ok = false;
    findings.report.causes.push_back(note);
  }
  findings.report.checks.push_back(std::move(check));
}

void check_facts(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  if (expectation.pooling) check_fact(findings, "pooling", model.card.pooling, *expectation.pooling);
  if (expectation.max_tokens) {
    check_fact(findings, "the most tokens of a text", fmt::format("{}", model.card.max_tokens),
               fmt::format("{}", *expectation.max_tokens));
  }
  check_config(model, expectation, findings);
  if (!expectation.tasks || expectation.tasks->empty()) return;
  std::vector<std::string> found;
  std::vector<std::string> expected;
  for (const TaskInfo& task : model.card.tasks) found.push_back(task.name);
  for (const ExpectedTask& task : *expectation.tasks) expected.push_back(task.name);
  check_fact(findings, "the order of tasks", fmt::format("{}", fmt::join(found, ", ")),
             fmt::format("{}", fmt::join(expected, ", ")));
  check_instructions(model, *expectation.tasks, findings);
}

void check_tensors(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  if (expectation.tensors.empty()) return;
  const auto source = open_safetensors(model.card.directory);
  size_t compared = 0;
  for (const TensorDigest& expected : expectation.tensors) {
    const auto stored = source->find(expected.name, {});
    if (!stored) continue;  // those that the model needs were found missing when it was loaded
    ++compared;
    const Tensor values = to_f32(*stored);
    Sha256 digest;
    digest.update(std::as_bytes(values.span<float>()));
    if (digest.hex().starts_with(expected.digest)) continue;
    double sum = 0;
    for (const float value : values.span<float>()) sum += value;
    findings.tensors.push_back(
        fmt::format("tensor {} (the sum of its values is off by {:.3g})", expected.name, sum - expected.sum));
  }
  const size_t different = findings.tensors.size();
  Check check{.name = "tensors", .is_ok = different == 0, .note = fmt::format("values of {} tensors", compared)};
  if (different > 0) check.note = fmt::format("{} of {} differ: {}", different, compared, list_some(findings.tensors));
  findings.report.checks.push_back(std::move(check));
}

std::string name_run(const ExpectedRun& run) {
  if (run.task.empty()) return "vectors";
  return fmt::format("vectors of {}{}", run.task, run.has_instruction ? ", instruction in front" : "");
}

void check_vectors(const LoadedModel& model, const Expectation& expectation, Findings& findings) {
  for (const ExpectedRun& run : expectation.runs) {
    Check check{.name = name_run(run)};
    if (has_task(model, run.task)) {
      const Distance distance = measure_run(model, run, {});
      check.is_ok = distance.is_ok();
      check.difference = distance.difference;
      check.tolerance = distance.tolerance;
      check.note = distance.where;
      if (!check.is_ok) findings.failed_runs.push_back(&run);
    } else {
      check.is_ok = false;
      check.note = "the model has no such task";
      findings.report.causes.push_back(fmt::format("task {} is missing", run.task));
    }
    findings.report.checks.push_back(std::move(check));
  }
}

}  // namespace

bool VerifyReport::is_ok() const { return std::ranges::all_of(checks, &Check::is_ok); }

VerifyReport verify_model(const LoadedModel& model, const Expectation& expectation) {
  Findings findings;
  findings.report.checks.push_back(
      {.name = "files", .note = fmt::format("complete, {} weights", model.card.parameters)});
  check_tokenizer(model, expectation, findings);
  check_facts(model, expectation, findings);
  check_tensors(model, expectation, findings);
  check_vectors(model, expectation, findings);
  find_causes(model, expectation, findings);
  return std::move(findings.report);
}

}  // namespace jina::cli
