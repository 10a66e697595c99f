#include "training/log.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace jina {

namespace {

/// A JSON object that is written field by field.
class Fields {
 public:
  explicit Fields(std::string_view event) { text("event", event); }

  void text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(line_, value);
  }
  void whole(std::string_view key, int64_t value) {
    begin(key);
    line_ += std::to_string(value);
  }
  /// The shortest decimal that reads back the same; null when not finite, which JSON cannot say.
  void number(std::string_view key, double value) {
    begin(key);
    line_ += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  template <typename Map, typename Write>  // string to anything; how one is written
  void map(std::string_view key, const Map& values, Write write) {
    begin(key);
    line_ += '{';
    for (const auto& [name, value] : values) (this->*write)(name, value);
    line_ += '}';
  }
  std::string finish() { return line_ + "}\n"; }

 private:
  void begin(std::string_view key) {
    if (line_.back() != '{') line_ += ',';
    append_json_string(line_, key);
    line_ += ':';
  }

  std::string line_ = "{";
};

/// NaN when the field is null.
double number_in(const Json& object, std::string_view key) {
  return object.double_or(key, std::numeric_limits<double>::quiet_NaN());
}

template <typename T>  // double or int64_t
std::map<std::string, T> numbers_in(const Json& object, std::string_view key) {
  std::map<std::string, T> numbers;
  const Json values = object.at(key);
  for (const auto& [name, unused] : values.as_object())
    numbers[std::string(name)] = static_cast<T>(number_in(values, name));
  return numbers;
}

StepReport step_from(const Json& line) {
  StepReport report;
  report.stage = line.at("stage").as_string();
  report.step = line.at("step").as_int();
  report.steps = line.at("steps").as_int();
  report.overall = line.at("overall").as_int();
  report.overall_steps = line.at("overall_steps").as_int();
  report.loss = number_in(line, "loss");
  report.terms = numbers_in<double>(line, "terms");
  report.gradient_norm = number_in(line, "gradient_norm");
  report.learning_rate = number_in(line, "learning_rate");
  report.tokens = line.at("tokens").as_int();
  report.seconds = number_in(line, "seconds");
  report.memory_bytes = line.at("memory_bytes").as_int();
  return report;
}

EvaluationRecord evaluation_from(const Json& line) {
  return {.name = std::string(line.at("name").as_string()),
          .metric = std::string(line.at("metric").as_string()),
          .stage = std::string(line.at("stage").as_string()),
          .overall = line.at("overall").as_int(),
          .value = number_in(line, "value")};
}

void add_line(const Json& line, RunHistory& history) {
  const std::string_view event = line.at("event").as_string();
  if (event == "start") {
    const Json facts = line.at("facts");
    for (const auto& [name, unused] : facts.as_object()) {
      history.facts[std::string(name)] = facts.at(name).as_string();
    }
  } else if (event == "data") {
    history.data.push_back({.name = std::string(line.at("name").as_string()),
                            .numbers = numbers_in<double>(line, "numbers"),
                            .removed = numbers_in<int64_t>(line, "removed")});
  } else if (event == "step") {
    history.steps.push_back(step_from(line));
  } else if (event == "evaluation") {
    history.evaluations.push_back(evaluation_from(line));
  } else {
    line.at("event").reject("start, data, step or evaluation");
  }
}

/// Calls body(line, where it stands, its first byte) for each line that has its end.
template <typename Body>  // any callable; false ends the walk
void for_each_line(const std::string& text, const std::string& path, Body&& body) {
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) return;
    const std::string where = fmt::format("{}:{}", path, ++number);
    if (!body(JsonDocument::parse(std::string_view(text).substr(begin, end - begin), where, ErrorKind::kInvalidInput),
              end + 1)) {
      return;
    }
    begin = end + 1;
  }
}

/// How many bytes of the log belong to the steps up to `overall`.
size_t bytes_until(const std::string& text, const std::string& path, int64_t overall) {
  size_t kept = 0;
  for_each_line(text, path, [&](const JsonDocument& line, size_t end) {
    if (line.root().int_or("overall", 0) > overall) return false;
    kept = end;
    return true;
  });
  return kept;
}

}  // namespace

RunLog::RunLog(std::string path, bool is_new)
    : path_(std::move(path)),
      file_(path_, std::ios::binary | (is_new ? std::ios::trunc : std::ios::app)),
      is_new_(is_new) {
  if (!file_) fail(ErrorKind::kIo, path_, "cannot be written");
}

RunLog RunLog::create(const std::string& path) { return {path, true}; }

RunLog RunLog::resume(const std::string& path, int64_t overall) {
  if (!std::filesystem::exists(path)) return create(path);
  const size_t kept = bytes_until(read_file(path), path, overall);
  std::error_code code;
  std::filesystem::resize_file(path, kept, code);
  if (code) fail(ErrorKind::kIo, path, "cannot be cut: {}", code.message());
  return {path, kept == 0};
}

void RunLog::write_line(const std::string& line) {
  file_ << line << std::flush;
  if (!file_) fail(ErrorKind::kIo, path_, "cannot be written; is the disk full?");
  is_new_ = false;
}

void RunLog::write_start(const std::map<std::string, std::string>& facts) {
  Fields fields("start");
  fields.map("facts", facts, &Fields::text);
  write_line(fields.finish());
}

void RunLog::write_data(const DataRecord& record) {
  Fields fields("data");
  fields.text("name", record.name);
  fields.map("numbers", record.numbers, &Fields::number);
  fields.map("removed", record.removed, &Fields::whole);
  write_line(fields.finish());
}

void RunLog::write_step(const StepReport& report) {
  Fields fields("step");
  fields.text("stage", report.stage);
  fields.whole("step", report.step);
  fields.whole("steps", report.steps);
  fields.whole("overall", report.overall);
  fields.whole("overall_steps", report.overall_steps);
  fields.number("loss", report.loss);
  fields.map("terms", report.terms, &Fields::number);
  fields.number("gradient_norm", report.gradient_norm);
  fields.number("learning_rate", report.learning_rate);
  fields.whole("tokens", report.tokens);
  fields.number("seconds", report.seconds);
  fields.whole("memory_bytes", report.memory_bytes);
  write_line(fields.finish());
}

void RunLog::write_evaluation(const EvaluationRecord& record) {
  Fields fields("evaluation");
  fields.text("name", record.name);
  fields.text("metric", record.metric);
  fields.text("stage", record.stage);
  fields.whole("overall", record.overall);
  fields.number("value", record.value);
  write_line(fields.finish());
}

RunHistory read_log(const std::string& path) {
  RunHistory history;
  for_each_line(read_file(path), path, [&](const JsonDocument& line, size_t) {
    add_line(line.root(), history);
    return true;
  });
  return history;
}

}  // namespace jina
