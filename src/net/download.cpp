#include "net/download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace jina {

namespace {

constexpr int kMaxFreshStarts = 2;           // damaged or changed files are taken anew so often
constexpr int64_t kProgressBytes = 1 << 20;  // an attempt that brought as much was no failed attempt

/// Thrown inside a transfer when the answer does not continue the part.
struct CannotContinue {};

struct ByteRange {
  int64_t first = 0;
  int64_t total = -1;  // -1: not told
};

/// "bytes 100-199/200"; nothing when it is of another form.
std::optional<ByteRange> parse_content_range(const std::string& text) {
  ByteRange range;
  int64_t last = 0;
  char total[32] = {};
  if (std::sscanf(text.c_str(), "bytes %ld-%ld/%31s", &range.first, &last, total) != 3) return std::nullopt;
  if (total[0] != '*' && std::sscanf(total, "%ld", &range.total) != 1) return std::nullopt;
  return range;
}

bool is_strong_etag(const std::string& etag) { return etag.size() > 2 && etag.front() == '"'; }

}  // namespace

/// The bytes that are here, and of what they are a part.
class Downloader::Part {
 public:
  Part(const HubFile& file, const std::string& target)
      : path_(target + ".part"), note_path_(target + ".etag"), identity_(identity_of(file)) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail(ErrorKind::kIo, path_, "cannot create: {}", std::strerror(errno));
    const off_t end = ::lseek(descriptor_, 0, SEEK_END);
    size_ = end < 0 ? 0 : end;
    if (size_ > 0 && (!read_note() || (file.size && size_ > *file.size))) start_anew();
  }
  ~Part() { ::close(descriptor_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  int64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  const std::string& etag() const { return etag_; }

  void append(std::string_view bytes) {
    write_all(descriptor_, bytes, path_);
    size_ += static_cast<int64_t>(bytes.size());
  }

  void start_anew() {
    if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) < 0) {
      fail(ErrorKind::kIo, path_, "cannot truncate: {}", std::strerror(errno));
    }
    size_ = 0;
    etag_.clear();
  }

  /// Remembers of which remote file the coming bytes are.
  void write_note(const std::string& etag) {
    etag_ = etag;
    AtomicFile note(note_path_);
    note.write(identity_ + "\n" + etag_ + "\n");
    note.commit();
  }

  void take_final_name(const std::string& target) {
    if (::fsync(descriptor_) != 0) fail(ErrorKind::kIo, path_, "cannot write: {}", std::strerror(errno));
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      fail(ErrorKind::kIo, target, "cannot rename into place: {}", std::strerror(errno));
    }
    ::unlink(note_path_.c_str());
  }

 private:
  static std::string identity_of(const HubFile& file) {
    return fmt::format("{} {}", file.digest.hex.empty() ? "-" : file.digest.hex, file.size.value_or(-1));
  }

  bool read_note() {
    std::string text;
    try {
      text = read_file(note_path_);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kNotFound) return false;
      throw;
    }
    const size_t line = text.find('\n');
    if (line == std::string::npos || text.substr(0, line) != identity_) return false;
    etag_ = text.substr(line + 1, text.find('\n', line + 1) - line - 1);
    return true;
  }

  std::string path_;
  std::string note_path_;
  std::string identity_;
  std::string etag_;  // of the host that sent the bytes; may be empty
  int descriptor_ = -1;
  int64_t size_ = 0;
};

Downloader::Downloader(const Hub& hub, ModelName model, std::string commit, HttpOptions http,
                       std::function<void(int64_t)> on_bytes)
    : hub_(hub),
      model_(std::move(model)),
      commit_(std::move(commit)),
      client_(http),
      is_cancelled_(http.is_cancelled),
      on_bytes_(on_bytes ? std::move(on_bytes) : [](int64_t) {}) {}

void Downloader::check_answer(const HttpResponse& response, const HubFile& file, const Part& part) const {
  const std::string where = display_url(response.url);
  if (const auto commit = response.first_header("x-repo-commit"); commit && is_commit(*commit) && *commit != commit_) {
    fail(ErrorKind::kNetwork, where, "the hub answered with commit {}, expected {}", *commit, commit_);
  }
  if (const auto etag = response.first_header("x-linked-etag")) {
    const FileDigest digest = FileDigest::from_etag(*etag);
    if (digest.kind == file.digest.kind && digest != file.digest) {
      fail(ErrorKind::kNetwork, where, "the hub answered with the file {}, expected {}", digest.hex, file.digest.hex);
    }
  }
  if (response.status == 206) {
    const auto range = parse_content_range(response.header("content-range").value_or(""));
    const auto etag = response.header("etag");
    const bool is_other_file = etag && !part.etag().empty() && *etag != part.etag();
    const bool is_other_size = range && file.size && range->total >= 0 && range->total != *file.size;
    if (!range || range->first != part.size() || is_other_file || is_other_size) throw CannotContinue{};
    return;
  }
  const auto length = response.header("content-length");
  if (length && file.size && *length != std::to_string(*file.size)) {
    fail(ErrorKind::kNetwork, where, "{} bytes were announced for {}, expected {}", *length, file.path, *file.size);
  }
}

HttpResponse Downloader::transfer(const HubFile& file, Part& part) {
  HttpRequest request{.url = hub_.file_url(model_, commit_, file.path), .bearer_token = hub_.options().token};
  if (part.size() > 0) {
    request.headers.emplace_back("Range", fmt::format("bytes={}-", part.size()));
    // Without it the digest still decides; with it a changed file costs no second transfer.
    if (is_strong_etag(part.etag())) request.headers.emplace_back("If-Range", part.etag());
  }
  HttpSink sink;
  sink.on_begin = [&](const HttpResponse& response) {
    check_answer(response, file, part);
    if (response.status == 206 && part.size() > 0) return;
    on_bytes_(-part.size());
    part.start_anew();
    part.write_note(response.header("etag").value_or(""));
  };
  sink.on_bytes = [&](std::string_view bytes) {
    if (file.size && part.size() + static_cast<int64_t>(bytes.size()) > *file.size) {
      part.start_anew();
      fail(ErrorKind::kNetwork, display_url(request.url), "{} is longer than the {} bytes announced", file.path,
           *file.size);
    }
    part.append(bytes);
    on_bytes_(static_cast<int64_t>(bytes.size()));
  };
  HttpResponse response = client_.send(request, sink);
  if (response.is_success() && file.size && part.size() < *file.size) {
    response.end = TransferEnd::kCut;
    response.failure = fmt::format("the answer ended after {} of {} bytes", part.size(), *file.size);
  }
  return response;
}

void Downloader::fetch(const HubFile& file, const std::string& target) {
  Part part(file, target);
  on_bytes_(part.size());
  Retry retry(hub_.options().retry, is_cancelled_);
  for (int fresh_starts = 0;;) {
    const int64_t before = part.size();
    const bool is_whole = file.size && part.size() == *file.size;
    HttpResponse response;
    bool must_start_anew = false;
    if (!is_whole) {
      try {
        response = transfer(file, part);
        must_start_anew = response.status == 416;  // the remote file is shorter than the part
      } catch (const CannotContinue&) {
        must_start_anew = true;
      }
      if (part.size() - before >= kProgressBytes) retry.note_progress();
      if (!must_start_anew && !response.is_success()) {
        if (retry.wait_after(response)) continue;
        fail_hub(response, model_, hub_.options(),
                 fmt::format("{} ({} of {} bytes are here; the same command goes on from them)", file.path, part.size(),
                             file.size ? std::to_string(*file.size) : "unknown"));
      }
    }
    const FileDigest digest = must_start_anew ? FileDigest{} : FileDigest::of_file(part.path(), file.digest.kind);
    if (!must_start_anew && digest == file.digest) return part.take_final_name(target);
    on_bytes_(-part.size());
    part.start_anew();
    if (++fresh_starts <= kMaxFreshStarts) continue;
    fail(ErrorKind::kNetwork, display_url(hub_.file_url(model_, commit_, file.path)),
         "{} came damaged {} times: expected the digest {}{}", file.path, fresh_starts, file.digest.hex,
         digest.hex.empty() ? "" : ", got " + digest.hex);
  }
}

}  // namespace jina
