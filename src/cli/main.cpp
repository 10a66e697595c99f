#include <cstdio>

#include "cli/command.h"

namespace jina::cli {
namespace {

constexpr Command kCommands[] = {
    {"tokenize", "Show the token ids, strings and byte offsets of texts", add_tokenize},
    {"pull", "Fetch a model from the hub, or bring it up to date", add_pull},
    {"models", "List the models on this machine", add_models},
    {"rm", "Remove a pulled model from this machine", add_rm},
};

/// 2 when the command line or an input was wrong, 1 when the work failed.
int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kInvalidInput:
    case ErrorKind::kModelFile:
    case ErrorKind::kNotFound:
    case ErrorKind::kUnsupported: return 2;
    case ErrorKind::kIo:
    case ErrorKind::kNetwork:
    case ErrorKind::kOverloaded:
    case ErrorKind::kCancelled:
    case ErrorKind::kInternal: return 1;
  }
  return 1;
}

int run(int argc, char** argv) {
  const Environment environment = Environment::from_process();
  CLI::App app("jina: embeddings of the Jina family, native, on your machine", "jina");
  app.require_subcommand(1);
  for (const Command& row : kCommands) {
    row.add(*app.add_subcommand(std::string(row.name), std::string(row.summary)), environment);
  }
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const Interrupted&) {
    return 130;
  } catch (const Error& error) {
    std::fprintf(stderr, "jina: error: %s\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jina: error: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace jina::cli

int main(int argc, char** argv) { return jina::cli::run(argc, argv); }
