#pragma once

#include <istream>
#include <memory>
#include <string>

namespace jina {

/// A file as a stream of its content, unpacked while it is read when it is gzip. Gzip is told by its first two bytes,
/// not by the name; several packed parts in a row are one content.
///
///     InputFile file("pairs.jsonl.gz");
///     for (std::string line; read_line(file.stream(), line, kMostBytes);) …
///
/// Errors: kNotFound and kIo when it is opened; while it is read kIo, and kInvalidInput naming the file for packed data
/// that are cut off or broken. They come out of the stream's reading functions.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::istream& stream() { return *stream_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::unique_ptr<std::streambuf> buffer_;
  std::unique_ptr<std::istream> stream_;
};

/// The next line without its line feed, of a longer one the first `most_bytes` + 1 bytes; false at the end of the
/// stream.
bool read_line(std::istream& stream, std::string& line, size_t most_bytes);

}  // namespace jina
