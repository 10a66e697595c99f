#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace jina {

namespace {

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

[[noreturn]] void fail_io(const std::string& path, std::string_view action) {
  const int code = errno;
  const ErrorKind kind = code == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  fail(kind, path, "cannot {}: {}", action, std::strerror(code));
}

int open_regular(const std::string& path, struct stat& status) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_io(path, "open");
  if (::fstat(descriptor, &status) != 0 || S_ISDIR(status.st_mode)) {
    ::close(descriptor);
    fail(ErrorKind::kIo, path, "cannot read: expected a file, found a directory");
  }
  return descriptor;
}

int64_t to_ns(const struct timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

std::optional<FileState> find_file_state(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileState{status.st_size, static_cast<int64_t>(status.st_ino), to_ns(status.st_mtim), to_ns(status.st_ctim)};
}

std::string read_file(const std::string& path, size_t most) {
  struct stat status {};
  const Descriptor file{open_regular(path, status)};
  std::string content;
  content.reserve(std::min(static_cast<size_t>(status.st_size), most));
  char buffer[1 << 16];
  while (content.size() < most) {
    const ssize_t count = ::read(file.value, buffer, std::min(sizeof buffer, most - content.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_io(path, "read");
    if (count == 0) break;
    content.append(buffer, static_cast<size_t>(count));
  }
  return content;
}

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path) {
  struct stat status {};
  const Descriptor file{open_regular(path, status)};
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<MappedFile>(new MappedFile(path, nullptr, 0));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (data == MAP_FAILED) fail_io(path, "map");
  return std::shared_ptr<MappedFile>(new MappedFile(path, static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> range) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(range.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(range.data() + range.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
  descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_io(path_, "create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

void AtomicFile::write(std::string_view bytes) { write_all(descriptor_, bytes, path_); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_io(path_, "write");
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail_io(path_, "rename into place");
  ::close(descriptor_);
  descriptor_ = -1;
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_io(path, "write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace jina
