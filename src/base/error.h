#pragma once

#include <fmt/format.h>

#include "jina/error.h"

namespace jina {

/// Throws Error with a message in fmt's syntax: fail(ErrorKind::kIo, path, "cannot read: {}", reason).
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, std::string where, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...), std::move(where));
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace jina

/// A promise between functions of this program; user input is never checked with it. A macro for the text and place.
#define JINA_CHECK(condition) ((condition) ? void() : ::jina::check_failed(#condition, __FILE__, __LINE__))
