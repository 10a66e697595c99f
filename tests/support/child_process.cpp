#include "support/child_process.h"

#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace jina::test {

namespace {

/// Moves what can be read from `descriptor` to `text`; closes it and sets it to -1 at the end.
void drain(int& descriptor, std::string& text) {
  char buffer[4096];
  const ssize_t count = read(descriptor, buffer, sizeof buffer);
  if (count > 0) {
    text.append(buffer, static_cast<size_t>(count));
    return;
  }
  close(descriptor);  // a terminal whose other side is gone answers with an error, a pipe with nothing
  descriptor = -1;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) {
  int output[2];
  int errors[2];
  const bool is_open =
      pipe(output) == 0 &&
      (options.has_terminal ? openpty(&errors[0], &errors[1], nullptr, nullptr, nullptr) : pipe(errors)) == 0;
  if (!is_open) throw std::runtime_error("cannot open pipes");
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> variable_pointers = pointers(variables);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    dup2(output[1], STDOUT_FILENO);
    dup2(errors[1], STDERR_FILENO);
    for (const int descriptor : {output[0], output[1], errors[0], errors[1]}) close(descriptor);
    if (options.max_file_bytes >= 0) {
      const auto limit = static_cast<rlim_t>(options.max_file_bytes);
      const rlimit limits{limit, limit};
      setrlimit(RLIMIT_FSIZE, &limits);
      std::signal(SIGXFSZ, SIG_IGN);
    }
    execve(argument_pointers[0], argument_pointers.data(), variable_pointers.data());
    _exit(127);
  }
  close(output[1]);
  close(errors[1]);
  output_ = output[0];
  errors_ = errors[0];
}

ChildProcess::~ChildProcess() {
  if (output_ >= 0) close(output_);
  if (errors_ >= 0) close(errors_);
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void ChildProcess::send_signal(int number) const { kill(pid_, number); }

ChildResult ChildProcess::wait() {
  ChildResult result;
  while (output_ >= 0 || errors_ >= 0) {
    pollfd entries[2] = {{output_, POLLIN, 0}, {errors_, POLLIN, 0}};
    poll(entries, 2, -1);
    if (entries[0].revents != 0) drain(output_, result.output);
    if (entries[1].revents != 0) drain(errors_, result.errors);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

ChildResult run_child(const ChildOptions& options) { return ChildProcess(options).wait(); }

}  // namespace jina::test
