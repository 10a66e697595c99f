#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jina::cli {

/// Thrown when Ctrl-C (or SIGTERM) was seen at a safe point; main turns it into exit code 130.
struct Interrupted {};

/// Thrown when the work is done and its answer, already printed, is no; main turns it into exit code 1.
struct AnswerIsNo {};

/// Thrown when whoever reads standard output has gone (`jina … | head`); main then ends quietly with exit code 0.
struct OutputClosed {};

/// What a command knows of its surroundings; made once in main, passed to every command. The only reader of the process
/// environment.
struct Environment {
  std::string cache_dir;      ///< JINA_CACHE, else XDG_CACHE_HOME/jina, else ~/.cache/jina
  std::string default_model;  ///< JINA_MODEL, else the name of the default model
  std::string hub_endpoint;   ///< HF_ENDPOINT, else the public hub
  std::string hub_token;      ///< HF_TOKEN, or empty
  std::string hub_cache_dir;  ///< HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub
  bool is_offline = false;    ///< HF_HUB_OFFLINE: 1, true, yes or on
  bool is_mpi_rank = false;   ///< OMPI_COMM_WORLD_SIZE, PMI_SIZE or PMIX_RANK is there: mpirun or srun started this
  bool is_output_terminal = false;
  bool is_error_terminal = false;

  static Environment from_process();
};

/// True once the user has asked to stop.
bool is_interrupted();
/// Throws Interrupted when the user has asked to stop; call it between units of work.
void check_interrupted();

/// Writes to standard output at once. Throws OutputClosed, Interrupted, Error kIo (disk full).
void write_output(std::string_view bytes);
/// Sends what was printed with stdio on its way; the same errors as write_output.
void flush_output();

/// One line on standard error: "jina: warning: …".
void warn(std::string_view message);

/// One row per subcommand. `add` declares options on `command` and sets its callback, which runs after parsing and
/// reports failure by throwing Error. Options live in a shared_ptr captured by the callback.
struct Command {
  std::string_view name;
  std::string_view summary;
  void (*add)(CLI::App& command, const Environment& environment);
};

void add_embed(CLI::App& command, const Environment& environment);
void add_tokenize(CLI::App& command, const Environment& environment);
void add_pull(CLI::App& command, const Environment& environment);
void add_models(CLI::App& command, const Environment& environment);
void add_rm(CLI::App& command, const Environment& environment);
void add_similarity(CLI::App& command, const Environment& environment);
void add_search(CLI::App& command, const Environment& environment);
void add_show(CLI::App& command, const Environment& environment);
void add_verify(CLI::App& command, const Environment& environment);
void add_train(CLI::App& command, const Environment& environment);
void add_bench(CLI::App& command, const Environment& environment);
void add_mine(CLI::App& command, const Environment& environment);
void add_completion(CLI::App& command, const Environment& environment);
void add_man(CLI::App& command, const Environment& environment);

/// "0.1.0"
std::string_view version_number();
/// What `jina --version` prints: version, compiler, instruction sets compiled in, parts that are absent.
std::string version_text();

}  // namespace jina::cli
