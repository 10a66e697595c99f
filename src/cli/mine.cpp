#include <array>
#include <memory>

#include "cli/command.h"
#include "cli/mine_job.h"

namespace jina::cli {

namespace {

constexpr std::array kMethods{std::pair<const char*, MineMethod>{"dense", MineMethod::kDense},
                              std::pair<const char*, MineMethod>{"bm25", MineMethod::kWords},
                              std::pair<const char*, MineMethod>{"both", MineMethod::kBoth}};

/// What was typed, before it is checked.
struct MineOptions {
  MineJob job;
  std::string method = "both";
  std::string sampling = "top";
  double relative_margin = 0.05;
};

void check_ranges(const NegativeRules& rules) {
  if (rules.range_min >= rules.range_max) {
    fail(ErrorKind::kInvalidArgument, "--range-min", "{} leaves no rank before --range-max {}", rules.range_min,
         rules.range_max);
  }
}

void run(const MineOptions& options, const CLI::App& command, const Environment& environment) {
  MineJob job = options.job;
  for (const auto& [name, method] : kMethods) {
    if (options.method == name) job.method = method;
  }
  job.rules.sampling = options.sampling == "random" ? NegativeSampling::kRandom : NegativeSampling::kTop;
  job.rules.relative_margin =
      options.relative_margin > 0 ? std::optional(options.relative_margin) : std::optional<double>();
  if (job.method == MineMethod::kWords) {
    for (const char* option : {"--relative-margin", "--absolute-margin", "--max-score", "--min-score"}) {
      if (command.count(option) == 0) continue;
      fail(ErrorKind::kInvalidArgument, option,
           "compares vectors, which --method bm25 does not make; expected dense or both");
    }
  }
  check_ranges(job.rules);
  run_mine(job, environment);
}

void add_rules(CLI::App& command, MineOptions& options) {
  NegativeRules& rules = options.job.rules;
  command.add_option("-n,--num-negatives", rules.count, "Negatives for each pair")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--range-min", rules.range_min, "Leave out so many of the first ranks")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--range-max", rules.range_max, "Take ranks below this")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--relative-margin", options.relative_margin,
                  "Leave out what scores above this share below the positive's cosine (0: off)")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--absolute-margin", rules.absolute_margin, "… or above the positive's cosine less this");
  command.add_option("--max-score", rules.max_score, "Leave out what scores above this cosine");
  command.add_option("--min-score", rules.min_score, "Leave out what scores below this cosine");
  command.add_option("--sampling", options.sampling, "top (best ranks first) or random among what is left")
      ->check(CLI::IsMember({"top", "random"}))
      ->capture_default_str();
  command.add_option("--seed", rules.seed, "Of --sampling random")->capture_default_str();
  command
      .add_option("--near-duplicate", options.job.near_duplicate,
                  "Leave out texts that share this part of their words with a positive (0: off)")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

}  // namespace

void add_mine(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<MineOptions>();
  MineJob& job = options->job;
  command.add_option("PAIRS", job.input, "JSON lines with a query and a positive each ('-': standard input)")
      ->required();
  command.add_option("-o,--output", job.path, "File for the pairs with their negatives, JSON lines")->required();
  command.add_option("--corpus", job.corpus, "Files with further texts that may become negatives");
  command.add_option("--query-field", job.fields.query, "Field of the query")->capture_default_str();
  command.add_option("--positive-field", job.fields.positive, "Field of the positive: a text or a list of texts")
      ->capture_default_str();
  command
      .add_option("--method", options->method, "Where candidates come from: dense (the model), bm25 (words) or both")
      ->check(CLI::IsMember({"dense", "bm25", "both"}))
      ->capture_default_str();
  command.add_option("--query-task", job.query_task, "Task of the queries (default: the model's task for queries)");
  command.add_option("--positive-task", job.positive_task,
                     "Task of the other texts (default: the model's for passages)");
  command.add_flag("--scores", job.has_scores, "Write the cosines too");
  command.add_flag("--only-full", job.only_full, "Leave out pairs that get fewer negatives than asked for");
  command.add_option("--block-rows", job.block_rows, "Texts whose vectors are in memory at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_rules(command, *options);
  add_model_options(command, job.model, environment);
  command.callback([options, &command, environment] { run(*options, command, environment); });
}

}  // namespace jina::cli
