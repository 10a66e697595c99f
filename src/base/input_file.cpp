#include "base/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <streambuf>

#include "base/error.h"

namespace jina {

namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

/// The bytes of a file, read with as few calls as possible.
class FileBytes {
 public:
  explicit FileBytes(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      const int code = errno;
      fail(code == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo, path, "cannot open: {}", std::strerror(code));
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
      ::close(descriptor_);
      fail(ErrorKind::kIo, path, "cannot read: expected a file, found a directory");
    }
  }
  ~FileBytes() { ::close(descriptor_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  const std::string& path() const { return path_; }

  /// Fills as much of `target` as there are bytes; less than `size` only at the end of the file.
  size_t read(char* target, size_t size) const {
    size_t filled = 0;
    while (filled < size) {
      const ssize_t count = ::read(descriptor_, target + filled, size - filled);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(ErrorKind::kIo, path_, "cannot read: {}", std::strerror(errno));
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    return filled;
  }

 private:
  std::string path_;
  int descriptor_;
};

/// A file as it is; `first` is what was read of it already.
class PlainBuffer final : public std::streambuf {
 public:
  PlainBuffer(std::unique_ptr<FileBytes> file, std::string first) : file_(std::move(file)), bytes_(std::move(first)) {
    setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size());
  }

 protected:
  int_type underflow() override {
    bytes_.resize(kBufferBytes);
    const size_t count = file_->read(bytes_.data(), bytes_.size());
    setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
    return count == 0 ? traits_type::eof() : traits_type::to_int_type(bytes_[0]);
  }

 private:
  std::unique_ptr<FileBytes> file_;
  std::string bytes_;
};

/// A gzip file (RFC 1952), unpacked.
class GzipBuffer final : public std::streambuf {
 public:
  GzipBuffer(std::unique_ptr<FileBytes> file, std::string first) : file_(std::move(file)), packed_(std::move(first)) {
    set_input(packed_.size());
    constexpr int kGzipWindow = 15 + 16;  // the largest window, with the header and checksum of gzip
    JINA_CHECK(inflateInit2(&state_, kGzipWindow) == Z_OK);
    bytes_.resize(kBufferBytes);
  }
  ~GzipBuffer() override { inflateEnd(&state_); }
  GzipBuffer(const GzipBuffer&) = delete;
  GzipBuffer& operator=(const GzipBuffer&) = delete;

 protected:
  int_type underflow() override {
    state_.next_out = reinterpret_cast<Bytef*>(bytes_.data());
    state_.avail_out = static_cast<uInt>(bytes_.size());
    while (state_.avail_out == bytes_.size()) {
      if (state_.avail_in == 0) refill();
      if (is_between_parts_ && !begin_part()) break;
      inflate_some();
    }
    const size_t count = bytes_.size() - state_.avail_out;
    setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
    return count == 0 ? traits_type::eof() : traits_type::to_int_type(bytes_[0]);
  }

 private:
  void set_input(size_t count) {
    state_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    state_.avail_in = static_cast<uInt>(count);
  }

  void refill() {
    packed_.resize(kBufferBytes);
    set_input(file_->read(packed_.data(), packed_.size()));
  }

  /// False at the end of the file. Zeros behind the last part are padding, as gzip itself takes them.
  bool begin_part() {
    while (true) {
      while (state_.avail_in > 0 && *state_.next_in == 0) {
        ++state_.next_in;
        --state_.avail_in;
      }
      if (state_.avail_in > 0) break;
      refill();
      if (state_.avail_in == 0) return false;
    }
    inflateReset(&state_);
    is_between_parts_ = false;
    return true;
  }

  void inflate_some() {
    if (state_.avail_in == 0) {
      fail(ErrorKind::kInvalidInput, file_->path(), "the gzip data are cut off: the file ends inside them");
    }
    const int code = inflate(&state_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      is_between_parts_ = true;
    } else if (code != Z_OK) {
      fail(ErrorKind::kInvalidInput, file_->path(), "the gzip data are broken: {}",
           state_.msg != nullptr ? state_.msg : "unexpected content");
    }
  }

  std::unique_ptr<FileBytes> file_;
  std::string packed_;
  std::string bytes_;
  z_stream state_{};
  bool is_between_parts_ = false;
};

std::unique_ptr<std::streambuf> open_buffer(const std::string& path) {
  auto file = std::make_unique<FileBytes>(path);
  std::string first(2, '\0');
  first.resize(file->read(first.data(), first.size()));
  if (first == "\x1F\x8B") return std::make_unique<GzipBuffer>(std::move(file), std::move(first));
  return std::make_unique<PlainBuffer>(std::move(file), std::move(first));
}

}  // namespace

InputFile::InputFile(const std::string& path)
    : path_(path), buffer_(open_buffer(path)), stream_(std::make_unique<std::istream>(buffer_.get())) {
  stream_->exceptions(std::ios::badbit);  // what the buffer throws passes through the stream
}

InputFile::~InputFile() = default;

bool read_line(std::istream& stream, std::string& line, size_t most_bytes) {
  std::array<char, size_t{16} << 10> piece;
  line.clear();
  while (true) {
    stream.getline(piece.data(), piece.size());
    const bool is_whole = stream.good();  // its end was read too
    const auto count = static_cast<size_t>(stream.gcount()) - (is_whole ? 1 : 0);
    line.append(piece.data(), std::min(count, most_bytes + 1 - line.size()));
    if (is_whole) return true;
    if (stream.eof() || stream.bad() || count == 0) return !line.empty();
    stream.clear();  // the piece was full
  }
}

}  // namespace jina
