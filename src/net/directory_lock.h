#pragma once

#include <string>

namespace jina {

/// Keeps two processes from changing one model's directory at once. The lock file lies outside of it, in
/// {models_dir}/.locks, and stays there; the system lets go of the lock when the process ends.
class DirectoryLock {
 public:
  /// Error kIo when another process holds it.
  DirectoryLock(const std::string& models_dir, const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace jina
