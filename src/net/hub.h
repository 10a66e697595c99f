#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/http_client.h"
#include "net/model_name.h"
#include "net/retry.h"

namespace jina {

/// A digest that a hub gives for a file: SHA-256 of the content for large files, Git's blob SHA-1 for small ones.
struct FileDigest {
  enum class Kind : uint8_t { kNone, kSha256, kGitSha1 };
  Kind kind = Kind::kNone;
  std::string hex;

  /// By the number of hexadecimal digits (64 or 40), quotes and the weak mark of an ETag allowed; else kNone.
  static FileDigest from_etag(std::string_view etag);
  /// The digest of the same kind over a file on disk.
  static FileDigest of_file(const std::string& path, Kind kind);
  bool operator==(const FileDigest&) const = default;
};

/// One file of a model on a hub.
struct HubFile {
  std::string path;  ///< relative, as the hub sent it: check before use
  std::optional<int64_t> size;
  FileDigest digest;
};

/// What a hub holds under a name and revision.
struct HubListing {
  std::string commit;
  std::vector<HubFile> files;  ///< all files of the repository
};

struct HubOptions {
  std::string endpoint;  ///< "https://huggingface.co"
  std::string token{};   ///< may be empty
  HttpOptions http{};
  RetryPolicy retry{};
};

/// The Hugging Face hub protocol, reading side.
class Hub {
 public:
  explicit Hub(HubOptions options);

  const HubOptions& options() const { return options_; }
  /// Commit and files of a revision. Errors: kNotFound (no such model or revision), kNetwork.
  HubListing list(const ModelName& model);
  /// A small file as text, at a commit.
  std::string fetch_text(const ModelName& model, const std::string& commit, const std::string& path);
  /// Fills in size and digest where the listing lacked them, by asking for the headers of the file.
  void complete(const ModelName& model, const std::string& commit, HubFile& file);
  /// Where a file of a commit is fetched from.
  std::string file_url(const ModelName& model, const std::string& commit, const std::string& path) const;

 private:
  std::string fetch(const std::string& url, const ModelName& model, std::string_view expected);

  HubOptions options_;
  HttpClient client_;
};

/// Text of a remote party, fit for a terminal: printable ASCII, one line, at most 200 characters.
std::string printable_line(std::string_view text);

/// Throws the Error that tells a person what a refusal of the hub means for this model (token, name, revision).
[[noreturn]] void fail_hub(const HttpResponse& response, const ModelName& model, const HubOptions& options,
                           std::string_view expected);

}  // namespace jina
