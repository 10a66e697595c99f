#include "net/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace jina {

DirectoryLock::DirectoryLock(const std::string& models_dir, const std::string& directory) {
  const std::string locks = models_dir + "/.locks";
  const std::string path = locks + "/" + directory + ".lock";
  std::error_code code;
  std::filesystem::create_directories(locks, code);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(ErrorKind::kIo, path, "cannot create: {}", std::strerror(errno));
  // Other failures mean that the file system has no locks (some network ones): then go on without.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    fail(ErrorKind::kIo, path, "another jina process is changing this model; try again when it is done");
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace jina
