#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace jina {

/// What kind of failure an Error reports; the edges (command line, bindings) map it to exit and status codes.
enum class ErrorKind : uint8_t {
  kInvalidArgument,  ///< an option or a field has a value that is not allowed
  kInvalidInput,     ///< the data to work on is broken or too long
  kModelFile,        ///< a file of a model is missing, broken, or of another model
  kNotFound,         ///< a named thing (model, task, file) does not exist
  kIo,               ///< reading or writing failed
  kNetwork,          ///< a remote party refused, broke off or lied
  kOverloaded,       ///< the queue is full; try again later
  kCancelled,        ///< the caller asked to stop
  kUnsupported,      ///< known, but not built or not present on this machine
  kInternal,         ///< a broken promise of the program itself
};

/// Name of a kind as it appears in logs, e.g. "invalid_argument".
__attribute__((visibility("default"))) std::string_view to_string(ErrorKind kind);

/// The one exception type of the library: what was wrong and expected (`message`), and where (`where`: file, line,
/// field).
class __attribute__((visibility("default"))) Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string where = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  /// "where: message", or the message alone.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string where_;
  std::string what_;
};

}  // namespace jina
