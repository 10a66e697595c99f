#include "cli/expectation.h"

#include <algorithm>
#include <cctype>

namespace jina::cli {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<float> floats(const Json& list) {
  std::vector<float> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<float>(value.as_double()));
  return values;
}

ExpectedValues parse_hidden(const Json& hidden, double tolerance) {
  ExpectedValues expected{.quantity = Quantity::kHidden, .rows = {}, .tolerance = tolerance};
  expected.first_column = hidden.at("first_column").as_int();
  for (const Json& row : hidden.at("rows").as_array()) expected.rows.push_back(row.as_int());
  for (const Json& row : hidden.at("values").as_array()) {
    const auto values = floats(row);
    expected.values.insert(expected.values.end(), values.begin(), values.end());
  }
  return expected;
}

ExpectedText parse_text(const Json& json, double tolerance) {
  ExpectedText text{.text = std::string(json.at("text").as_string())};
  if (const auto ids = json.find("ids")) {
    for (const Json& id : ids->as_array()) text.ids.push_back(static_cast<int32_t>(id.as_int()));
  }
  if (const auto hidden = json.find("hidden")) text.values.push_back(parse_hidden(*hidden, tolerance));
  constexpr std::pair<std::string_view, Quantity> kVectors[] = {{"pooled", Quantity::kPooled},
                                                                {"unit", Quantity::kUnit}};
  for (const auto& [key, quantity] : kVectors) {
    if (const auto values = json.find(key)) {
      text.values.push_back({.quantity = quantity, .values = floats(*values), .tolerance = tolerance});
    }
  }
  return text;
}

ExpectedRun parse_run(const Json& json) {
  ExpectedRun run{.task = json.string_or("task", ""),
                  .has_instruction = json.bool_or("instruction", false),
                  .source = std::string(json.at("source").as_string())};
  const double tolerance = json.at("tolerance").as_double();
  for (const Json& text : json.at("texts").as_array()) run.texts.push_back(parse_text(text, tolerance));
  return run;
}

}  // namespace

std::string Expectation::instruction(std::string_view task) const {
  if (!tasks) return "";
  const auto found = std::ranges::find(*tasks, task, &ExpectedTask::name);
  return found == tasks->end() ? "" : found->instruction;
}

bool has_shape(const ExpectationMatch& match, const ModelCard& card) {
  return match.family == card.family && match.dimensions == card.dimensions && match.layers == card.layers &&
         (match.vocabulary == 0 || match.vocabulary == card.vocabulary);
}

bool has_name(const ExpectationMatch& match, const ModelCard& card) {
  return lower(card.name).find(lower(match.name)) != std::string::npos ||
         lower(card.directory).find(lower(match.name)) != std::string::npos;
}

ExpectationMatch parse_match(const Json& root) {
  const Json match = root.at("match");
  return {.family = std::string(match.at("family").as_string()),
          .dimensions = match.at("dimensions").as_int(),
          .layers = match.at("layers").as_int(),
          .vocabulary = match.int_or("vocabulary", 0),
          .name = std::string(match.at("name").as_string()),
          .by_shape = match.bool_or("by_shape", false)};
}

Expectation parse_expectation(const Json& root) {
  Expectation expectation{.id = std::string(root.at("id").as_string())};
  if (const auto pooling = root.find("pooling")) expectation.pooling = pooling->as_string();
  if (const auto length = root.find("max_tokens")) expectation.max_tokens = length->as_int();
  if (const auto config = root.find("config")) {
    for (const auto [key, value] : config->as_object()) {
      expectation.config.emplace_back(key, config->at(key).as_double());
    }
  }
  if (const auto tasks = root.find("tasks")) {
    expectation.tasks.emplace();
    for (const Json& task : tasks->as_array()) {
      expectation.tasks->push_back({std::string(task.at("name").as_string()), task.string_or("instruction", "")});
    }
  }
  for (const Json& run : root.at("runs").as_array()) expectation.runs.push_back(parse_run(run));
  if (const auto tensors = root.find("tensors")) {
    for (const auto [key, value] : tensors->as_object()) {
      const Json tensor = tensors->at(key);
      expectation.tensors.push_back(
          {std::string(key), std::string(tensor.at("digest").as_string()), tensor.at("sum").as_double()});
    }
  }
  return expectation;
}

}  // namespace jina::cli
