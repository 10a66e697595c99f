#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jina::cli {

/// How far a piece of work had come when it was last secured.
struct Checkpoint {
  int64_t rows_read = 0;  ///< rows of the input that are behind us, those of other shards included
  int64_t rows_written = 0;
  int64_t rows_skipped = 0;
  int64_t rows_truncated = 0;
  uint64_t output_bytes = 0;
  uint64_t skipped_bytes = 0;
};

/// An output file with a journal: rows go to FILE.part, FILE.part.journal says how much of it is whole, and only
/// `commit` gives it its name. A list of skipped rows goes the same way to FILE.skipped.jsonl.
class OutputFile {
 public:
  /// `key` stands for input, model and options: only work of an equal key is continued.
  /// With `resume`, an existing part is continued from its last checkpoint. Errors: kIo, kInvalidArgument when the part
  /// was made with another key.
  OutputFile(std::string path, std::string key, bool resume);
  ~OutputFile();

  /// Throws what would keep a file of this name from being written; changes nothing.
  static void check(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Where to go on; all zero at a fresh start.
  const Checkpoint& resumed() const { return resumed_; }

  void write(std::string_view bytes);
  void write_skipped(std::string_view line);
  /// Makes everything written so far survive a crash. The byte counts of `progress` are filled in here.
  void secure(Checkpoint progress);
  /// As secure, at the first call and then at most every two seconds.
  void secure_sometimes(const Checkpoint& progress);
  /// Writes `bytes` over the beginning of the file.
  void overwrite_beginning(std::string_view bytes);
  /// Gives the files their names and removes the journal.
  void commit();

 private:
  void read_journal();

  std::string path_;
  std::string key_;
  Checkpoint resumed_;
  int output_ = -1;
  int skipped_ = -1;
  uint64_t output_bytes_ = 0;
  uint64_t skipped_bytes_ = 0;
  std::chrono::steady_clock::time_point secured_{};
};

}  // namespace jina::cli
