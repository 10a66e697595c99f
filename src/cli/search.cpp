#include <unistd.h>

#include <limits>
#include <memory>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/search_units.h"
#include "cli/text_files.h"
#include "search/flat.h"

namespace jina::cli {

namespace {

struct SearchOptions {
  ModelOptions model;
  std::string query;
  std::vector<std::string> inputs;
  int64_t count = 10;
  float threshold = -std::numeric_limits<float>::infinity();
  bool by_paragraph = false;
  bool as_json = false;
};

EmbedInput with_task(const std::string& text, const std::optional<std::string>& task) {
  EmbedInput input{.text = text};
  input.task = task;
  return input;
}

/// Scores of all units, in batches so that Ctrl-C is heard.
std::vector<float> score_units(const Embedder& embedder, const std::string& query,
                               const std::vector<SearchUnit>& units) {
  constexpr size_t kBatch = 256;
  const EmbedOptions truncating{.truncate = true};
  const auto query_vector = embedder.embed({with_task(query, embedder.info().query_task)}).front();
  std::vector<float> scores;
  int64_t cut = 0;
  for (size_t begin = 0; begin < units.size(); begin += kBatch) {
    check_interrupted();
    std::vector<EmbedInput> inputs;
    for (size_t i = begin; i < std::min(begin + kBatch, units.size()); ++i) {
      inputs.push_back(with_task(units[i].text, embedder.info().passage_task));
    }
    for (const Embedding& embedding : embedder.embed(std::move(inputs), truncating)) {
      scores.push_back(dot(query_vector.values, embedding.values));
      cut += embedding.is_truncated ? 1 : 0;
    }
  }
  if (cut > 0) {
    warn(fmt::format(
        "{} of {} texts are longer than the {} tokens that the model takes; only their beginning was searched", cut,
        units.size(), embedder.info().max_tokens));
  }
  return scores;
}

void print_hit(const SearchUnit& unit, float score, bool as_json) {
  std::string out;
  if (as_json) {
    out = "{\"path\":";
    append_json_string(out, repair_utf8(unit.path));
    out += fmt::format(",\"line\":{},\"score\":", unit.line);
    append_json_float(out, score);
    out += ",\"text\":";
    append_json_string(out, unit.text);
    out += "}\n";
  } else {
    out = fmt::format("{}:{}  {:.4f}  {}\n", unit.path, unit.line, score, as_one_line(unit.text));
  }
  write_output(out);
}

void run_search(SearchOptions options, const Environment& environment) {
  if (options.inputs.empty()) {
    if (isatty(STDIN_FILENO) != 0) fail(ErrorKind::kInvalidArgument, "-i", "expected files or directories to search");
    options.inputs.emplace_back("-");
  }
  const auto units = read_units(options.inputs, options.by_paragraph ? UnitKind::kParagraph : UnitKind::kLine);
  if (units.empty()) return;
  const Embedder embedder = open_embedder(options.model, environment);
  const auto scores = score_units(embedder, repair_utf8(options.query), units);
  for (const Hit& hit : best_rows(scores, options.count, options.threshold)) {
    print_hit(units[static_cast<size_t>(hit.row)], hit.score, options.as_json);
  }
}

}  // namespace

void add_search(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<SearchOptions>();
  command.add_option("QUERY", options->query, "What to look for, in your own words")->required();
  command.add_option("-i,--input", options->inputs, "Files or directories to search (default: standard input)");
  command.add_option("-k,--count", options->count, "How many results")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--threshold", options->threshold, "Leave out what scores below this cosine");
  command.add_flag("--paragraphs", options->by_paragraph, "Find paragraphs (blocks between blank lines), not lines");
  command.add_flag("--json", options->as_json, "One JSON object per result");
  add_model_options(command, options->model, environment);
  command.callback([options, environment] { run_search(*options, environment); });
}

}  // namespace jina::cli
