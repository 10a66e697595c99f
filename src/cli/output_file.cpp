#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace jina::cli {

namespace {

std::string part_of(const std::string& path) { return path + ".part"; }
std::string journal_of(const std::string& path) { return path + ".part.journal"; }
std::string skipped_of(const std::string& path) { return path + ".skipped.jsonl"; }

[[noreturn]] void fail_io(const std::string& path, std::string_view action) {
  fail(ErrorKind::kIo, path, "cannot {}: {}", action, std::strerror(errno));
}

/// Opens for one process at a time, for appending behind the first `keep` bytes; what lies behind them was not secured
/// and is cut off.
int open_part(const std::string& path, uint64_t keep) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) fail_io(path, "create");
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    fail(ErrorKind::kIo, path, "another run is writing it");
  }
  if (::ftruncate(descriptor, static_cast<off_t>(keep)) != 0 || ::lseek(descriptor, 0, SEEK_END) < 0) {
    ::close(descriptor);
    fail_io(path, "cut to its last whole row");
  }
  return descriptor;
}

void require_bytes(const std::string& path, uint64_t bytes) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size >= bytes) return;
  fail(ErrorKind::kInvalidInput, path, "shorter than its journal says ({} bytes expected); start anew without --resume",
       bytes);
}

}  // namespace

void OutputFile::check(const std::string& path) {
  namespace fs = std::filesystem;
  if (fs::is_directory(path)) fail(ErrorKind::kInvalidArgument, path, "expected a file, found a directory");
  if (fs::exists(path) && !fs::is_regular_file(path)) {
    fail(ErrorKind::kInvalidArgument, path, "not a regular file, which the output would replace; use '> {}'", path);
  }
  const fs::path directory = fs::path(path).parent_path();
  if (::access(directory.empty() ? "." : directory.c_str(), W_OK) != 0) fail_io(path, "create");
}

OutputFile::OutputFile(std::string path, std::string key, bool resume) : path_(std::move(path)), key_(std::move(key)) {
  check(path_);
  if (resume && std::filesystem::exists(journal_of(path_))) read_journal();
  output_ = open_part(part_of(path_), resumed_.output_bytes);
  skipped_ = open_part(part_of(skipped_of(path_)), resumed_.skipped_bytes);
  output_bytes_ = resumed_.output_bytes;
  skipped_bytes_ = resumed_.skipped_bytes;
  if (resumed_.rows_read == 0) ::unlink(journal_of(path_).c_str());
}

OutputFile::~OutputFile() {
  if (output_ >= 0) ::close(output_);
  if (skipped_ >= 0) ::close(skipped_);
  const bool has_journal = std::filesystem::exists(journal_of(path_));
  std::error_code ignored;
  if (output_ >= 0 && !has_journal) {  // failed before anything was secured: leave nothing behind
    std::filesystem::remove(part_of(path_), ignored);
    std::filesystem::remove(part_of(skipped_of(path_)), ignored);
  }
}

void OutputFile::read_journal() {
  const auto document = JsonDocument::parse(read_file(journal_of(path_)), journal_of(path_), ErrorKind::kInvalidInput);
  const Json journal = document.root();
  if (journal.at("key").as_string() != key_) {
    fail(ErrorKind::kInvalidArgument, "--resume",
         "'{}' was begun with other input or options:\n  then: {}\n  now:  {}\nuse the same ones, or leave out "
         "--resume to start anew",
         part_of(path_), journal.at("key").as_string(), key_);
  }
  resumed_ = {
      .rows_read = journal.at("rows_read").as_int(),
      .rows_written = journal.at("rows_written").as_int(),
      .rows_skipped = journal.at("rows_skipped").as_int(),
      .rows_truncated = journal.at("rows_truncated").as_int(),
      .output_bytes = static_cast<uint64_t>(journal.at("output_bytes").as_int()),
      .skipped_bytes = static_cast<uint64_t>(journal.at("skipped_bytes").as_int()),
  };
  require_bytes(part_of(path_), resumed_.output_bytes);
  require_bytes(part_of(skipped_of(path_)), resumed_.skipped_bytes);
}

void OutputFile::write(std::string_view bytes) {
  write_all(output_, bytes, path_);
  output_bytes_ += bytes.size();
}

void OutputFile::write_skipped(std::string_view line) {
  write_all(skipped_, line, skipped_of(path_));
  skipped_bytes_ += line.size();
}

void OutputFile::secure(Checkpoint progress) {
  if (::fdatasync(output_) != 0) fail_io(path_, "write");
  if (::fdatasync(skipped_) != 0) fail_io(skipped_of(path_), "write");
  std::string journal = "{\"key\": ";
  append_json_string(journal, key_);
  journal += fmt::format(
      ", \"rows_read\": {}, \"rows_written\": {}, \"rows_skipped\": {}, \"rows_truncated\": {}, \"output_bytes\": {}, "
      "\"skipped_bytes\": {}}}\n",
      progress.rows_read, progress.rows_written, progress.rows_skipped, progress.rows_truncated, output_bytes_,
      skipped_bytes_);
  AtomicFile file(journal_of(path_));
  file.write(journal);
  file.commit();
}

void OutputFile::secure_sometimes(const Checkpoint& progress) {
  constexpr std::chrono::seconds kInterval(2);
  if (std::chrono::steady_clock::now() - secured_ < kInterval) return;
  secure(progress);
  secured_ = std::chrono::steady_clock::now();
}

void OutputFile::overwrite_beginning(std::string_view bytes) {
  if (::pwrite(output_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail_io(path_, "write");
}

void OutputFile::commit() {
  if (::fsync(output_) != 0) fail_io(path_, "write");
  const std::string skipped = skipped_of(path_);
  if (skipped_bytes_ == 0) {
    ::unlink(part_of(skipped).c_str());
    ::unlink(skipped.c_str());  // of an earlier run
  } else if (::fsync(skipped_) != 0 || ::rename(part_of(skipped).c_str(), skipped.c_str()) != 0) {
    fail_io(skipped, "rename into place");
  }
  // Last, because a file under its final name says that everything is done.
  if (::rename(part_of(path_).c_str(), path_.c_str()) != 0) fail_io(path_, "rename into place");
  ::unlink(journal_of(path_).c_str());
  ::close(output_);
  ::close(skipped_);
  output_ = skipped_ = -1;
}

}  // namespace jina::cli
