#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/command.h"

namespace jina::cli {

namespace {

volatile std::sig_atomic_t interrupt_signal = 0;

std::string variable(const char* name, std::string_view otherwise = {}) {
  const char* value = std::getenv(name);
  return std::string(value != nullptr && *value != '\0' ? std::string_view(value) : otherwise);
}

/// The words that the hub's own client takes for yes.
bool is_true(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "1" || word == "true" || word == "yes" || word == "on";
}

void remember_signal(int number) {
  if (interrupt_signal != 0) _exit(130);  // the second Ctrl-C does not wait for a safe point
  interrupt_signal = number;
}

[[noreturn]] void fail_output() {
  const int code = errno;
  if (code == EINTR) throw Interrupted{};
  if (code == EPIPE) throw OutputClosed{};
  fail(ErrorKind::kIo, "standard output", "cannot write: {}", std::strerror(code));
}

}  // namespace

Environment Environment::from_process() {
  struct sigaction action {};
  action.sa_handler = remember_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error like any other

  const std::string home = variable("HOME", "/tmp");
  const std::string caches = variable("XDG_CACHE_HOME", home + "/.cache");
  Environment environment;
  environment.cache_dir = variable("JINA_CACHE", caches + "/jina");
  environment.default_model = variable("JINA_MODEL", "all-MiniLM-L6-v2");
  environment.hub_endpoint = variable("HF_ENDPOINT", "https://huggingface.co");
  environment.hub_token = variable("HF_TOKEN");
  environment.hub_cache_dir = variable("HF_HUB_CACHE", variable("HF_HOME", caches + "/huggingface") + "/hub");
  environment.is_offline = is_true(variable("HF_HUB_OFFLINE"));
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    environment.is_mpi_rank = environment.is_mpi_rank || !variable(name).empty();
  }
  environment.is_output_terminal = isatty(STDOUT_FILENO) != 0;
  environment.is_error_terminal = isatty(STDERR_FILENO) != 0;
  return environment;
}

bool is_interrupted() { return interrupt_signal != 0; }

void check_interrupted() {
  if (is_interrupted()) throw Interrupted{};
}

void write_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0) fail_output();
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void flush_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) fail_output();
}

void warn(std::string_view message) {
  std::fprintf(stderr, "jina: warning: %.*s\n", static_cast<int>(message.size()), message.data());
}

}  // namespace jina::cli
