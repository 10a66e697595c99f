#include <algorithm>
#include <memory>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/text_files.h"
#include "search/flat.h"

namespace jina::cli {

namespace {

struct SimilarityOptions {
  ModelOptions model;
  std::vector<std::string> texts;
  std::string task;
  std::string format = "table";
};

/// Cosine of every pair: (texts, texts).
std::vector<std::vector<float>> cosine_matrix(const std::vector<Embedding>& embeddings) {
  std::vector<std::vector<float>> matrix;
  for (const Embedding& a : embeddings) {
    std::vector<float>& row = matrix.emplace_back();
    for (const Embedding& b : embeddings) row.push_back(dot(a.values, b.values));
  }
  return matrix;
}

void print_table(const std::vector<std::string>& texts, const std::vector<std::vector<float>>& matrix) {
  std::string out = "     ";
  for (size_t i = 0; i < texts.size(); ++i) out += fmt::format("{:>8}", fmt::format("[{}]", i + 1));
  out += "\n";
  for (size_t i = 0; i < texts.size(); ++i) {
    out += fmt::format("{:<5}", fmt::format("[{}]", i + 1));
    for (const float cosine : matrix[i]) out += fmt::format("{:>8.4f}", cosine);
    out += fmt::format("   {}\n", as_one_line(texts[i]));
  }
  write_output(out);
}

void print_json(const std::vector<std::string>& texts, const std::vector<std::vector<float>>& matrix) {
  std::string out = "{\"texts\":[";
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ",";
    append_json_string(out, texts[i]);
  }
  out += "],\"similarity\":[";
  for (size_t i = 0; i < matrix.size(); ++i) {
    out += i > 0 ? ",[" : "[";
    for (size_t j = 0; j < matrix[i].size(); ++j) {
      if (j > 0) out += ",";
      append_json_float(out, matrix[i][j]);
    }
    out += "]";
  }
  out += "]}\n";
  write_output(out);
}

void run_similarity(const SimilarityOptions& options, const Environment& environment) {
  if (options.texts.size() < 2) fail(ErrorKind::kInvalidArgument, "TEXT", "expected at least two texts to compare");
  const Embedder embedder = open_embedder(options.model, environment);
  if (options.task.empty()) warn_of_base_model(embedder.info());
  std::vector<std::string> texts;
  std::vector<EmbedInput> inputs;
  for (const std::string& text : options.texts) {
    texts.push_back(repair_utf8(text));
    inputs.push_back({.text = texts.back()});
    if (!options.task.empty()) inputs.back().task = options.task;
  }
  const auto matrix = cosine_matrix(embedder.embed(std::move(inputs)));
  if (options.format == "json") {
    print_json(texts, matrix);
  } else {
    print_table(texts, matrix);
  }
}

}  // namespace

void add_similarity(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<SimilarityOptions>();
  command.add_option("TEXT", options->texts, "Texts to compare, at least two")->required();
  add_model_options(command, options->model, environment);
  command.add_option("-t,--task", options->task, "One of the model's tasks (jina show lists them)");
  command.add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command.callback([options, environment] { run_similarity(*options, environment); });
}

}  // namespace jina::cli
