#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace jina::test {

/// A directory that is empty at first and gone at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "jina_test_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const std::string& below = "") const { return below.empty() ? path_ : path_ + "/" + below; }
  /// Writes a file, making the directories above it.
  void write(const std::string& below, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path(below)).parent_path());
    std::ofstream(path(below), std::ios::binary) << content;
  }

 private:
  std::string path_;
};

}  // namespace jina::test
