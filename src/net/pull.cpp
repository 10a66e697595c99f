#include "net/pull.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/sha256.h"
#include "net/directory_lock.h"
#include "net/download.h"
#include "net/model_files.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIncoming = ".incoming";

void make_directories(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) fail(ErrorKind::kIo, path.string(), "cannot create the directory: {}", code.message());
}

/// The manifest, when every file that it names is there.
std::optional<Manifest> complete_manifest(const std::string& directory) {
  try {
    auto manifest = read_manifest(directory);
    if (manifest && missing_files(directory, *manifest).empty()) return manifest;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kModelFile) throw;  // a broken manifest is rewritten
  }
  return std::nullopt;
}

void log_warning(const PullOptions& options, const std::string& message) {
  if (options.log) options.log(LogLevel::kWarning, message);
}

/// One run of pull_model after the hub was asked.
class Pull {
 public:
  Pull(const ModelName& model, const PullOptions& options, Hub& hub, HubListing listing, std::string directory)
      : model_(model),
        options_(options),
        hub_(hub),
        listing_(std::move(listing)),
        directory_(std::move(directory)),
        incoming_(directory_ + "/" + std::string(kIncoming)) {}

  PullResult run() {
    wanted_ = select_model_files(listing_, fetch_hints(), model_.repository());
    for (HubFile& file : wanted_) {
      hub_.complete(model_, listing_.commit, file);
      if (file.digest.kind == FileDigest::Kind::kNone) {
        log_warning(options_, fmt::format("the hub gives no digest for {}: only its size is checked", file.path));
      }
    }
    for (const HubFile& file : wanted_) {
      if (!is_in_place(file)) missing_.push_back(file);
    }
    check_space();
    fetch_missing();
    install();
    PullResult result{manifest_, directory_, static_cast<int>(missing_.size()), 0};
    for (const HubFile& file : missing_) result.bytes_fetched += file.size.value_or(0);
    return result;
  }

 private:
  ModelFileHints fetch_hints() {
    const auto fetch = [&](std::string_view path) -> std::optional<std::string> {
      if (find_file(listing_, path) == nullptr) return std::nullopt;
      return hub_.fetch_text(model_, listing_.commit, std::string(path));
    };
    const bool is_sharded = find_file(listing_, kWeightsFile) == nullptr;
    return {.modules_json = fetch(kModulesFile), .index_json = is_sharded ? fetch(kWeightsIndexFile) : std::nullopt};
  }

  bool is_in_place(const HubFile& file) const {
    const std::string path = directory_ + "/" + file.path;
    std::error_code code;
    const auto size = fs::file_size(path, code);
    return !code && file.size && static_cast<int64_t>(size) == *file.size &&
           file.digest.kind != FileDigest::Kind::kNone && FileDigest::of_file(path, file.digest.kind) == file.digest;
  }

  /// A file that an earlier, cut pull brought whole.
  bool has_arrived(const HubFile& file) const {
    const std::string path = incoming_ + "/" + file.path;
    std::error_code code;
    return file.digest.kind != FileDigest::Kind::kNone && fs::is_regular_file(path, code) &&
           FileDigest::of_file(path, file.digest.kind) == file.digest;
  }

  void check_space() const {
    int64_t needed = 0;
    for (const HubFile& file : missing_) {
      std::error_code code;
      const std::string path = incoming_ + "/" + file.path;
      const auto whole = fs::file_size(path, code);
      const auto part = code ? fs::file_size(path + ".part", code) : whole;
      needed += file.size.value_or(0) - (code ? 0 : static_cast<int64_t>(part));
    }
    std::error_code code;
    const fs::space_info space = fs::space(directory_, code);
    if (code || needed <= 0 || static_cast<uintmax_t>(needed) <= space.available) return;
    fail(ErrorKind::kIo, directory_, "not enough room: {} needs {} MB more, {} MB are free", model_.text(),
         needed / 1'000'000 + 1, space.available / 1'000'000);
  }

  void fetch_missing() {
    std::stable_sort(missing_.begin(), missing_.end(),
                     [](const HubFile& a, const HubFile& b) { return a.size.value_or(0) > b.size.value_or(0); });
    for (const HubFile& file : missing_) {
      total_ += file.size.value_or(0);
      make_directories(fs::path(incoming_ + "/" + file.path).parent_path());
    }
    std::vector<std::thread> threads;
    const int count = std::min<int>(options_.connections, static_cast<int>(missing_.size()));
    for (int i = 0; i < count; ++i) threads.emplace_back([this] { fetch_until_done(); });
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

  void fetch_until_done() {
    try {
      HttpOptions http = options_.hub.http;
      http.is_cancelled = [this] {
        return is_stopping_ || (options_.hub.http.is_cancelled && options_.hub.http.is_cancelled());
      };
      Downloader downloader(hub_, model_, listing_.commit, http, [this](int64_t bytes) { note_bytes(bytes); });
      for (size_t i = next_++; i < missing_.size(); i = next_++) {
        const HubFile& file = missing_[i];
        if (has_arrived(file)) {
          note_bytes(file.size.value_or(0));
        } else {
          downloader.fetch(file, incoming_ + "/" + file.path);
        }
        const std::lock_guard lock(mutex_);
        if (options_.on_file) options_.on_file(file);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      is_stopping_ = true;  // the others keep their parts and leave
    }
  }

  void note_bytes(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    done_ += bytes;
    if (options_.on_progress) options_.on_progress(done_, total_);
  }

  /// From here to the new manifest the directory has none: a crash in between leaves it incomplete, never mixed.
  void install() {
    const std::optional<Manifest> old = read_old_manifest();
    std::error_code code;
    fs::remove(directory_ + "/" + std::string(kManifestFile), code);
    for (const HubFile& file : missing_) {
      const std::string path = directory_ + "/" + file.path;
      make_directories(fs::path(path).parent_path());
      fs::rename(incoming_ + "/" + file.path, path, code);
      if (code) fail(ErrorKind::kIo, path, "cannot put the file in its place: {}", code.message());
    }
    manifest_ = {model_, listing_.commit, {}};
    for (const HubFile& file : wanted_) {
      const std::string path = directory_ + "/" + file.path;
      const bool is_known = file.digest.kind == FileDigest::Kind::kSha256;
      manifest_.files.push_back(
          {file.path, static_cast<int64_t>(fs::file_size(path)), is_known ? file.digest.hex : sha256_of_file(path)});
    }
    if (old) remove_obsolete(*old);
    write_manifest(directory_, manifest_);
    fs::remove_all(incoming_, code);
  }

  std::optional<Manifest> read_old_manifest() const {
    try {
      return read_manifest(directory_);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void remove_obsolete(const Manifest& old) const {
    for (const ManifestFile& file : old.files) {
      const auto is_same = [&](const HubFile& other) { return other.path == file.path; };
      std::error_code code;
      if (std::none_of(wanted_.begin(), wanted_.end(), is_same)) fs::remove(directory_ + "/" + file.path, code);
    }
  }

  const ModelName& model_;
  const PullOptions& options_;
  Hub& hub_;
  HubListing listing_;
  std::string directory_;
  std::string incoming_;
  std::vector<HubFile> wanted_;
  std::vector<HubFile> missing_;
  Manifest manifest_;

  std::mutex mutex_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> is_stopping_{false};
  std::exception_ptr failure_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

[[noreturn]] void fail_offline(const ModelName& model, const std::string& directory) {
  std::string missing = "nothing of it is here";
  std::error_code code;
  try {
    if (const auto manifest = read_manifest(directory)) {
      missing.clear();
      for (const std::string& path : missing_files(directory, *manifest))
        missing += (missing.empty() ? "missing: " : ", ") + path;
    } else if (fs::exists(directory + "/" + std::string(kIncoming), code)) {
      missing = "only parts of an earlier pull are here";
    }
  } catch (const Error& error) {
    missing = error.what();
  }
  fail(ErrorKind::kNetwork, directory, "{} is not complete and HF_HUB_OFFLINE forbids to fetch it: {}", model.text(),
       missing);
}

}  // namespace

PullResult pull_model(const ModelName& model, const PullOptions& options) {
  const std::string directory = options.models_dir + "/" + model.directory();
  std::optional<Manifest> present = complete_manifest(directory);
  const bool is_pinned = present && present->commit == model.revision;  // a commit never moves
  if (options.is_offline && !present) fail_offline(model, directory);
  if (present && (is_pinned || options.is_offline)) return {*present, directory, 0, 0};

  Hub hub(options.hub);
  HubListing listing;
  try {
    listing = hub.list(model);
  } catch (const Error& error) {
    const bool is_about_network = error.kind() == ErrorKind::kNetwork;
    if (!present || !is_about_network) throw;
    log_warning(options, fmt::format("cannot ask whether {} has moved; what is here (commit {}) is complete: {}",
                                     model.text(), present->commit, error.what()));
    return {*present, directory, 0, 0};
  }
  if (present && present->commit == listing.commit) return {*present, directory, 0, 0};
  make_directories(directory);
  const DirectoryLock lock(options.models_dir, model.directory());
  return Pull(model, options, hub, std::move(listing), directory).run();
}

}  // namespace jina
