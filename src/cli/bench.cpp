#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/json.h"
#include "base/pages.h"
#include "base/rng.h"
#include "cli/command.h"
#include "cli/model_location.h"
#include "cli/model_options.h"
#include "embedding/loader.h"

namespace jina::cli {

namespace {

struct BenchOptions {
  ModelOptions model;
  std::vector<int64_t> lengths = {16, 128, 512, 8192};
  std::string mixed;
  int64_t batch = 0;
  double seconds = 2;
  bool random_weights = false;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Rows of random token ids with the given lengths, without adapters.
TokenBatch random_batch(const ModelCard& card, const std::vector<int64_t>& lengths) {
  TokenBatch batch;
  const CounterRng rng(1, "token ids");
  for (const int64_t length : lengths) {
    batch.layout.append(length);
    batch.adapters.by_row.push_back(kNoAdapter);
    for (int64_t i = 0; i < length; ++i) {
      const uint64_t bits = rng.bits(batch.ids.size());
      batch.ids.push_back(static_cast<int32_t>(bits % static_cast<uint64_t>(card.vocabulary)));
    }
  }
  return batch;
}

/// Token ids in, mean-pooled vectors out.
void run_once(const LoadedModel& model, const TokenBatch& batch) {
  std::vector<TokenSpan> spans;
  for (int64_t row = 0; row < batch.layout.rows(); ++row) {
    spans.push_back({batch.layout.begin(row), batch.layout.begin(row) + batch.layout.length(row)});
  }
  model.backend->to_host(model.backend->mean_pool(model.encoder->forward(batch, nullptr), spans));
}

/// Best time of repeated passes over all batches, in seconds: at least three and `least` seconds, one when it is long.
double best_time(const LoadedModel& model, const std::vector<TokenBatch>& batches, double least) {
  double best = 1e9;
  const auto start = Clock::now();
  for (int count = 1;; ++count) {
    check_interrupted();
    const auto begin = Clock::now();
    for (const TokenBatch& batch : batches) run_once(model, batch);
    best = std::min(best, seconds_since(begin));
    const double spent = seconds_since(start);
    if ((count >= 3 && spent >= least) || spent > 4 * least) return best;
  }
}

double gflop(const ModelCard& card, const TokenBatch& batch) {
  double sum = 0;
  for (int64_t row = 0; row < batch.layout.rows(); ++row) {
    const auto length = static_cast<double>(batch.layout.length(row));
    sum += length * (2.0 * static_cast<double>(card.linear_weights) +
                     4.0 * static_cast<double>(card.layers * card.dimensions) * length);
  }
  return sum / 1e9;
}

struct Measured {
  double tokens_per_second = 0;
  double gflops = 0;
  int64_t batch = 0;
};

Measured measure(const LoadedModel& model, const std::vector<TokenBatch>& batches, double least) {
  run_once(model, batches.front());
  const double time = best_time(model, batches, least);
  Measured result{.batch = batches.front().layout.rows()};
  for (const TokenBatch& batch : batches) {
    result.tokens_per_second += static_cast<double>(batch.layout.tokens()) / time;
    result.gflops += gflop(model.card, batch) / time;
  }
  return result;
}

/// The batch sizes that the peers' harness tries: 1, 4 and 16 texts, up to 4,096 tokens and about three seconds a call.
std::vector<int64_t> batch_sizes(const ModelCard& card, int64_t length, int64_t asked) {
  if (asked > 0) return {asked};
  const double most = 600 / gflop(card, random_batch(card, {length}));
  std::vector<int64_t> sizes = {1};
  for (const int64_t size : {4, 16}) {
    if (size * length <= 4096 && static_cast<double>(size) <= most) sizes.push_back(size);
  }
  return sizes;
}

void print_result(const LoadedModel& model, const std::string& sequence, const Measured& result, double load) {
  std::string line = "{\"peer\": \"jina\", \"shape\": ";
  append_json_string(line, model.card.name);
  line += fmt::format(
      ", \"dtype\": \"{}\", \"seq\": {}, \"batch\": {}, \"tok_s\": {:.1f}, \"gflops\": {:.1f}, \"rss_mb\": {:.0f}, "
      "\"load_s\": {:.2f}, \"threads\": {}}}\n",
      to_string(model.backend->compute_dtype()), sequence, result.batch, result.tokens_per_second, result.gflops,
      static_cast<double>(peak_resident_bytes()) / 1048576, load, model.backend->threads());
  write_output(line);
}

/// Token counts, one a line, cut into calls of `batch` texts.
std::vector<TokenBatch> read_mixed(const ModelCard& card, const std::string& path, int64_t batch) {
  std::ifstream file(path);
  if (!file) fail(ErrorKind::kNotFound, path, "cannot open");
  std::vector<TokenBatch> batches;
  std::vector<int64_t> lengths;
  for (int64_t length = 0; file >> length;) {
    if (length < 1) fail(ErrorKind::kInvalidInput, path, "expected token counts above 0, found {}", length);
    lengths.push_back(std::min(length, card.max_tokens));
    if (static_cast<int64_t>(lengths.size()) < batch) continue;
    batches.push_back(random_batch(card, lengths));
    lengths.clear();
  }
  if (!lengths.empty()) batches.push_back(random_batch(card, lengths));
  if (batches.empty()) fail(ErrorKind::kInvalidInput, path, "expected one token count a line, found none");
  return batches;
}

void run_bench(const BenchOptions& options, const Environment& environment) {
  const OpenOptions open = open_options(options.model, environment);
  const auto start = Clock::now();
  const auto model = options.random_weights ? load_random_model(options.model.model, open)
                                            : load_model(resolve_model(options.model.model, environment), open);
  const double load = seconds_since(start);
  if (!options.mixed.empty()) {
    constexpr int64_t kTextsPerCall = 32;
    const auto batches = read_mixed(model->card, options.mixed, options.batch > 0 ? options.batch : kTextsPerCall);
    print_result(*model, "\"mixed\"", measure(*model, batches, options.seconds), load);
    return;
  }
  for (const int64_t length : options.lengths) {
    if (length > model->card.max_tokens) {
      warn(fmt::format("--lengths: {} left out, the model takes {} tokens", length, model->card.max_tokens));
      continue;
    }
    Measured best;
    for (const int64_t size : batch_sizes(model->card, length, options.batch)) {
      const std::vector<int64_t> lengths(static_cast<size_t>(size), length);
      const Measured result = measure(*model, {random_batch(model->card, lengths)}, options.seconds);
      if (result.tokens_per_second > best.tokens_per_second) best = result;
    }
    print_result(*model, std::to_string(length), best, load);
  }
}

}  // namespace

void add_bench(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<BenchOptions>();
  add_model_options(command, options->model, environment);
  command.add_option("--lengths", options->lengths, "Tokens per text, separated by commas")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--mixed", options->mixed,
                     "A file of token counts, one a line: real mixed lengths, 32 texts a call");
  command.add_option("--batch", options->batch, "Texts a call (default: the best of 1, 4 and 16)")
      ->check(CLI::PositiveNumber);
  command.add_option("--seconds", options->seconds, "Least time for each case")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--random-weights", options->random_weights,
                   "MODEL is a directory with a config.json alone: its shape with random weights");
  command.callback([options, environment] { run_bench(*options, environment); });
}

}  // namespace jina::cli
