#include "net/pull.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/model_location.h"
#include "cli/progress_bar.h"

namespace jina::cli {

namespace {

struct PullArguments {
  std::string name;
  bool is_verbose = false;
};

PullOptions make_options(const Environment& environment) {
  PullOptions options;
  options.hub.endpoint = environment.hub_endpoint;
  options.hub.token = environment.hub_token;
  options.hub.http.is_cancelled = is_interrupted;
  options.models_dir = model_stores(environment).models_dir;
  options.is_offline = environment.is_offline;
  return options;
}

void run_pull(const PullArguments& arguments, const Environment& environment) {
  const auto model = ModelName::parse(arguments.name);
  if (!model) {
    fail(ErrorKind::kInvalidArgument, arguments.name,
         "expected ORG/NAME or ORG/NAME@REVISION, as in jinaai/jina-embeddings-v3");
  }
  ProgressBar bar(model->text(), environment.is_error_terminal);
  PullOptions options = make_options(environment);
  options.on_progress = [&](int64_t done, int64_t total) { bar.update(done, total); };
  options.on_file = [&](const HubFile& file) {
    if (!arguments.is_verbose) return;
    bar.clear();
    fmt::print(stderr, "{}  {}\n", file.path, readable_size(file.size.value_or(0)));
  };
  options.log = [&](LogLevel, std::string_view message) {
    bar.clear();
    warn(message);
  };
  PullResult result;
  try {
    result = pull_model(*model, options);
  } catch (const Error& error) {
    bar.clear();
    if (error.kind() != ErrorKind::kCancelled || !is_interrupted()) throw;
    fmt::print(stderr, "jina: interrupted; what came is kept, and the same command goes on from it\n");
    throw Interrupted{};
  }
  bar.clear();
  const std::string what =
      fmt::format("{} (commit {}): {} files, {} in {}", model->text(), result.manifest.commit,
                  result.manifest.files.size(), readable_size(result.manifest.bytes()), result.directory);
  fmt::print("{} {}\n", result.files_fetched > 0 ? "pulled" : "already here:", what);
}

}  // namespace

void add_pull(CLI::App& command, const Environment& environment) {
  auto arguments = std::make_shared<PullArguments>();
  command.add_option("NAME", arguments->name, "ORG/NAME, or ORG/NAME@REVISION (a branch, a tag, a commit)")->required();
  command.add_flag("--verbose", arguments->is_verbose, "Name each file as it arrives");
  command.callback([arguments, environment] { run_pull(*arguments, environment); });
}

}  // namespace jina::cli
