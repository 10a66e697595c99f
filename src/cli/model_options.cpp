#include "cli/model_options.h"

#include "cli/model_location.h"

namespace jina::cli {

namespace {

Precision parse_precision(const std::string& name) {
  if (name == "auto") return Precision::kAuto;
  if (name == "f32") return Precision::kF32;
  if (name == "bf16") return Precision::kBF16;
  if (name == "int8") {
    fail(ErrorKind::kUnsupported, "--precision", "int8 is not there yet; expected auto, f32 or bf16");
  }
  fail(ErrorKind::kInvalidArgument, "--precision", "unknown precision '{}'; expected auto, f32 or bf16", name);
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options, const Environment& environment) {
  command.add_option("-m,--model", options.model, "Model: a directory, a pulled name, or an alias")
      ->default_val(environment.default_model);
  command.add_option("--device", options.device, "Where to compute: cpu, cuda or cuda:N")->capture_default_str();
  command.add_option("--precision", options.precision, "auto (bf16 where the processor has it), f32 or bf16")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads (default: all processors)")->check(CLI::PositiveNumber);
  command.add_option("--token-budget", options.token_budget, "Most tokens of one pass; memory grows with it")
      ->check(CLI::PositiveNumber);
}

OpenOptions open_options(const ModelOptions& options, const Environment& environment) {
  OpenOptions open;
  open.device = options.device;
  open.precision = parse_precision(options.precision);
  open.threads = options.threads;
  if (options.token_budget > 0) open.token_budget = options.token_budget;
  open.digest_cache = environment.cache_dir;
  return open;
}

Embedder open_embedder(const ModelOptions& options, const Environment& environment) {
  const OpenOptions open = open_options(options, environment);
  return Embedder::open(resolve_model(options.model, environment), open);
}

void warn_of_base_model(const ModelInfo& info) {
  const bool has_adapters = !info.tasks.empty() && info.tasks.front().adapter >= 0;
  if (!has_adapters || info.default_task) return;
  warn("no task given: these are vectors of the raw base model (jina show lists the tasks; choose one with -t)");
}

}  // namespace jina::cli
