#pragma once

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace jina::test {

/// A file of the shared data directory, which is not part of the repository: JINA_SHARED_DIR, else ../shared beside the
/// checkout. Tests skip visibly when it is absent.
inline std::string shared_path(const std::string& name) {
  const char* variable = std::getenv("JINA_SHARED_DIR");
  return (variable != nullptr ? std::string(variable) : std::string(JINA_SOURCE_DIR "/../shared")) + "/" + name;
}

/// The whole content of a .gz file.
inline std::string read_gzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::string content;
  char buffer[65536];
  for (int count = 0; (count = gzread(file, buffer, sizeof buffer)) > 0;) {
    content.append(buffer, static_cast<size_t>(count));
  }
  gzclose(file);
  return content;
}

/// Calls body(line number from 1, line) for each line.
template <typename Body>  // any callable
void for_each_line(const std::string& content, Body&& body) {
  size_t number = 0;
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = std::min(content.find('\n', begin), content.size());
    body(++number, content.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace jina::test
