#include "base/atomic_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!is_synced) fail(ErrorKind::kIo, path.string(), "cannot write: {}", std::strerror(code));
}

/// Gives `part` the name `path`. A directory that stands there changes places with it in one step where the file system
/// can do that, so that no reader ever finds nothing; else it is set aside first.
void swap_in(const std::string& part, const std::string& path) {
  if (::rename(part.c_str(), path.c_str()) == 0) return;  // nothing there, or an empty directory
  if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) return;
  const std::string aside = path + ".old";
  const bool is_aside = (errno == EINVAL || errno == ENOSYS) && ::rename(path.c_str(), aside.c_str()) == 0;
  if (!is_aside || ::rename(part.c_str(), path.c_str()) != 0) {
    const int code = errno;
    if (is_aside) ::rename(aside.c_str(), path.c_str());
    fail(ErrorKind::kIo, path, "cannot rename into place: {}", std::strerror(code));
  }
  std::error_code ignored;
  fs::remove_all(aside, ignored);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

AtomicDirectory::AtomicDirectory(std::string path) : path_(without_slashes(std::move(path))), part_(path_ + ".part") {
  std::error_code code;
  if (fs::exists(path_, code) && !fs::is_directory(path_, code)) {
    fail(ErrorKind::kInvalidArgument, path_, "expected a place for a directory, found a file");
  }
  fs::remove_all(part_, code);
  if (!code) fs::create_directories(part_, code);
  if (code) fail(ErrorKind::kIo, path_, "cannot create: {}", code.message());
}

AtomicDirectory::~AtomicDirectory() {
  std::error_code ignored;
  if (!is_committed_) fs::remove_all(part_, ignored);
}

std::string AtomicDirectory::file(const std::string& name) const {
  const fs::path place = fs::path(part_) / name;
  std::error_code code;
  fs::create_directories(place.parent_path(), code);
  if (code) fail(ErrorKind::kIo, place.string(), "cannot create its directory: {}", code.message());
  return place.string();
}

void AtomicDirectory::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(part_)) sync_path(entry.path());
  sync_path(part_);
  swap_in(part_, path_);
  is_committed_ = true;
  std::error_code ignored;
  fs::remove_all(part_, ignored);  // what stood there before, after a change of places
  const fs::path parent = fs::absolute(path_).parent_path();
  sync_path(parent);
}

}  // namespace jina
