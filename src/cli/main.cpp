#include <cstdio>

#include "cli/command.h"

namespace jina::cli {
namespace {

constexpr Command kCommands[] = {
    {"embed", "Turn texts into vectors", add_embed},
    {"search", "Find the lines or paragraphs of files that come closest in meaning", add_search},
    {"similarity", "Compare texts by meaning: cosine of every pair", add_similarity},
    {"tokenize", "Show the token ids, strings and byte offsets of texts", add_tokenize},
    {"train", "Train a model by a recipe", add_train},
    {"pull", "Fetch a model from the hub, or bring it up to date", add_pull},
    {"models", "List the models on this machine", add_models},
    {"show", "Tell what a model is: size, tasks, limits, fingerprint", add_show},
    {"verify", "Compare a model with vectors published for it and name what differs", add_verify},
    {"rm", "Remove a pulled model from this machine", add_rm},
    {"mine", "Find hard negatives for pairs of texts, to train with", add_mine},
    {"bench", "Measure speed and memory at given lengths", add_bench},
    {"completion", "Print a completion script for bash, zsh or fish", add_completion},
    {"man", "Print the manual page", add_man},
};

constexpr const char* kExamples =
    "Examples:\n"
    "  jina embed \"A cat sleeps on the sofa.\"\n"
    "      one vector, as a short table on a terminal, else as a line of JSON\n"
    "  jina search \"how do I save electricity\" -i notes.txt\n"
    "      the lines of a file that come closest in meaning\n"
    "  jina embed -i lines.txt -o vectors.jsonl -m jinaai/jina-embeddings-v3 -t retrieval.passage\n"
    "      each line of a file, with a model fetched by `jina pull` and one of its tasks\n"
    "\n"
    "`jina COMMAND --help` explains a command.";

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

constexpr char kMark = '\x01';

/// The arguments in the order that the parser wants, last first. It would take an argument like "[a,b]" apart as a list
/// of its own; a mark behind such a text keeps it whole.
std::vector<std::string> mark_arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string& argument = arguments.emplace_back(argv[i]);
    if (argument.starts_with('[')) argument += kMark;
  }
  return arguments;
}

std::string remove_mark(std::string value) {
  if (value.starts_with('[') && value.ends_with(kMark)) value.pop_back();
  return value;
}

int run(int argc, char** argv) {
  const Environment environment = Environment::from_process();
  CLI::App app(
      "jina turns text into vectors that can be compared by meaning. It runs embedding models (the Jina family and its "
      "relatives) from their Hugging Face files, on your machine.",
      "jina");
  app.footer(kExamples);
  app.set_version_flag("--version", version_text(), "What this program was built with");
  app.require_subcommand(1);
  for (const Command& row : kCommands) {
    CLI::App& command = *app.add_subcommand(std::string(row.name), std::string(row.summary));
    row.add(command, environment);
    for (CLI::Option* option : command.get_options()) option->transform(remove_mark);
  }
  try {
    app.parse(mark_arguments(argc, argv));
    flush_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const Interrupted&) {
    return 130;
  } catch (const AnswerIsNo&) {
    return 1;
  } catch (const OutputClosed&) {
    return 0;
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
