#include "base/error.h"

namespace jina {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: return "invalid_argument";
    case ErrorKind::kInvalidInput: return "invalid_input";
    case ErrorKind::kModelFile: return "model_file";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kIo: return "io";
    case ErrorKind::kNetwork: return "network";
    case ErrorKind::kOverloaded: return "overloaded";
    case ErrorKind::kCancelled: return "cancelled";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kInternal: return "internal";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message, std::string where)
    : kind_(kind), message_(std::move(message)), where_(std::move(where)) {
  what_ = where_.empty() ? message_ : where_ + ": " + message_;
}

void check_failed(const char* condition, const char* file, int line) {
  throw Error(ErrorKind::kInternal, fmt::format("check failed: {}", condition), fmt::format("{}:{}", file, line));
}

}  // namespace jina
