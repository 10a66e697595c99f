#pragma once

#include <string>

namespace jina {

/// A directory that appears under its final name only when `commit` succeeds; until then its files lie beside it in
/// "<path>.part". What is there under the final name is replaced as a whole.
///
///     AtomicDirectory out("model");
///     write_safetensors(out.file("model.safetensors"), tensors);
///     out.commit();
class AtomicDirectory {
 public:
  /// Makes the part, empty: what an earlier run left there is removed. Errors: kIo; kInvalidArgument when `path` is a
  /// file.
  explicit AtomicDirectory(std::string path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  /// Where the files lie until `commit`.
  const std::string& part() const { return part_; }
  /// The place of a file (relative path) in the part; directories above it are made.
  std::string file(const std::string& name) const;
  /// Syncs everything and renames. Error kIo; then the final name is untouched.
  void commit();

 private:
  std::string path_;
  std::string part_;
  bool is_committed_ = false;
};

}  // namespace jina
