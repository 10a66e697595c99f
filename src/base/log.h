#pragma once

#include <functional>
#include <string_view>

namespace jina {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

/// Where the library tells what the user should know; it never prints by itself. An empty hook drops messages.
using LogHook = std::function<void(LogLevel, std::string_view message)>;

}  // namespace jina
