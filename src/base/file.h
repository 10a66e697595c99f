#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jina {

/// The whole file as bytes, or its first `most`. Errors: kNotFound when absent, kIo when unreadable.
std::string read_file(const std::string& path, size_t most = SIZE_MAX);

/// What tells that a file has not been written since. Times are in nanoseconds; the change time, unlike the
/// modification time, cannot be set back by copying or touching.
struct FileState {
  int64_t size = 0;
  int64_t inode = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const FileState&) const = default;
};

/// Nothing when there is no such file.
std::optional<FileState> find_file_state(const std::string& path);

/// A file mapped read-only; pages are read when touched and can be given back.
class MappedFile {
 public:
  static std::shared_ptr<MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  /// Tells the system that the pages wholly inside `range` are not needed now; they are read again when touched.
  void release(std::span<const std::byte> range) const;

 private:
  MappedFile(std::string path, const std::byte* data, size_t size) : path_(std::move(path)), data_(data), size_(size) {}
  std::string path_;
  const std::byte* data_;
  size_t size_;
};

/// A file that appears under its final name only when `commit` succeeds; until then it lies beside it as "<path>.part".
///
///     AtomicFile out("vectors.jsonl");
///     out.write(line);
///     out.commit();
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  /// Flushes, syncs and renames. Error kIo (disk full, no permission); then the final name is untouched.
  void commit();

 private:
  std::string path_;
  std::string part_;
  int descriptor_ = -1;
};

/// Writes all bytes to a descriptor, through short writes and EINTR. Error kIo naming `path`.
void write_all(int descriptor, std::string_view bytes, const std::string& path);

}  // namespace jina
