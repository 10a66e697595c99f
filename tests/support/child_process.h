#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace jina::test {

struct ChildOptions {
  std::vector<std::string> arguments;                ///< the program first
  std::map<std::string, std::string> environment{};  ///< the whole environment
  bool has_terminal = false;                         ///< standard error is a terminal
  long max_file_bytes = -1;                          ///< a write beyond it fails, as on a full disk
};

struct ChildResult {
  int exit_code = -1;  ///< -1 when it ended by a signal
  std::string output;
  std::string errors;
};

/// A program that runs beside the test.
class ChildProcess {
 public:
  explicit ChildProcess(const ChildOptions& options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void send_signal(int number) const;
  /// Reads all that it writes and waits for its end.
  ChildResult wait();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int errors_ = -1;
};

ChildResult run_child(const ChildOptions& options);

}  // namespace jina::test
