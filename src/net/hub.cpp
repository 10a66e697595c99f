#include "net/hub.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"

namespace jina {

namespace {

constexpr size_t kMaxTextBytes = 64u << 20;  // listings and index files are a few MB at most

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos || (keep_slashes && c == '/')) {
      encoded.push_back(c);
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

/// Git's blob digest: SHA-1 over "blob <size>", a zero byte, and the content.
std::string git_sha1_of_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::string header = fmt::format("blob {}", file->bytes().size());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const bool is_done = context && EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) == 1 &&
                       EVP_DigestUpdate(context.get(), header.c_str(), header.size() + 1) == 1 &&
                       EVP_DigestUpdate(context.get(), file->bytes().data(), file->bytes().size()) == 1 &&
                       EVP_DigestFinal_ex(context.get(), digest, &length) == 1;
  if (!is_done) fail(ErrorKind::kInternal, path, "cannot compute SHA-1");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::optional<int64_t> parse_size(const std::optional<std::string>& text) {
  int64_t size = 0;
  if (!text) return std::nullopt;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), size);
  if (result.ec != std::errc() || size < 0) return std::nullopt;
  return size;
}

HubFile file_of(const Json& sibling) {
  HubFile file;
  file.path = sibling.at("rfilename").as_string();
  if (const auto size = sibling.find("size"); size && size->as_int() >= 0) file.size = size->as_int();
  if (const auto large = sibling.find("lfs")) {
    file.digest = FileDigest::from_etag(large->string_or("sha256", ""));
    if (const auto size = large->find("size"); size && size->as_int() >= 0) file.size = size->as_int();
  } else {
    file.digest = FileDigest::from_etag(sibling.string_or("blobId", ""));
  }
  return file;
}

}  // namespace

std::string printable_line(std::string_view text) {
  constexpr size_t kMaxLength = 200;
  std::string line;
  for (const char c : text.substr(0, kMaxLength)) line.push_back(c >= ' ' && c <= '~' ? c : ' ');
  return line;
}

FileDigest FileDigest::from_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  std::string hex(etag);
  std::transform(hex.begin(), hex.end(), hex.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!is_hex(hex)) return {};
  if (hex.size() == 64) return {Kind::kSha256, hex};
  if (hex.size() == 40) return {Kind::kGitSha1, hex};
  return {};
}

FileDigest FileDigest::of_file(const std::string& path, Kind kind) {
  switch (kind) {
    case Kind::kNone: return {};
    case Kind::kSha256: return {kind, sha256_of_file(path)};
    case Kind::kGitSha1: return {kind, git_sha1_of_file(path)};
  }
  return {};
}

Hub::Hub(HubOptions options) : options_(std::move(options)), client_(options_.http) {
  while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
  if (!options_.endpoint.starts_with("https://") && !options_.endpoint.starts_with("http://")) {
    fail(ErrorKind::kInvalidArgument, "HF_ENDPOINT", "expected a URL that begins with https:// or http://, got '{}'",
         options_.endpoint);
  }
  // A line break would let the token add header lines of its own.
  if (std::any_of(options_.token.begin(), options_.token.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    fail(ErrorKind::kInvalidArgument, "HF_TOKEN", "expected printable characters without spaces");
  }
}

std::string Hub::file_url(const ModelName& model, const std::string& commit, const std::string& path) const {
  return fmt::format("{}/{}/resolve/{}/{}", options_.endpoint, model.repository(), percent_encoded(commit, false),
                     percent_encoded(path, true));
}

std::string Hub::fetch(const std::string& url, const ModelName& model, std::string_view expected) {
  Retry retry(options_.retry, options_.http.is_cancelled);
  for (;;) {
    std::string text;
    const HttpResponse response =
        client_.send({.url = url, .bearer_token = options_.token}, {.on_bytes = [&](std::string_view bytes) {
                       if (text.size() + bytes.size() > kMaxTextBytes) {
                         fail(ErrorKind::kNetwork, display_url(url), "more than 64 MB, expected {}", expected);
                       }
                       text += bytes;
                     }});
    if (response.is_success()) return text;
    if (!retry.wait_after(response)) fail_hub(response, model, options_, expected);
  }
}

HubListing Hub::list(const ModelName& model) {
  const std::string url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", options_.endpoint, model.repository(),
                                      percent_encoded(model.revision, false));
  const std::string text = fetch(url, model, "the list of files of " + model.text());
  const JsonDocument document = JsonDocument::parse(text, display_url(url), ErrorKind::kNetwork);
  HubListing listing;
  listing.commit = document.root().at("sha").as_string();
  if (!is_commit(listing.commit)) document.root().at("sha").reject("a commit of 40 hexadecimal digits");
  for (const Json& sibling : document.root().at("siblings").as_array()) listing.files.push_back(file_of(sibling));
  return listing;
}

std::string Hub::fetch_text(const ModelName& model, const std::string& commit, const std::string& path) {
  return fetch(file_url(model, commit, path), model, "the file " + path);
}

void Hub::complete(const ModelName& model, const std::string& commit, HubFile& file) {
  if (file.size && file.digest.kind != FileDigest::Kind::kNone) return;
  const std::string url = file_url(model, commit, file.path);
  Retry retry(options_.retry, options_.http.is_cancelled);
  HttpResponse response;
  do {
    response = client_.send({.url = url, .bearer_token = options_.token, .is_head = true});
  } while (!response.is_success() && retry.wait_after(response));
  if (!response.is_success()) fail_hub(response, model, options_, "size and digest of " + file.path);
  // The hub speaks of its own file in X-Linked-*; the storage host it sends us to has other ETags.
  const auto linked_size = response.first_header("x-linked-size");
  const auto linked_etag = response.first_header("x-linked-etag");
  if (!file.size) file.size = parse_size(linked_size ? linked_size : response.header("content-length"));
  if (file.digest.kind == FileDigest::Kind::kNone) {
    file.digest = FileDigest::from_etag((linked_etag ? linked_etag : response.first_header("etag")).value_or(""));
  }
}

void fail_hub(const HttpResponse& response, const ModelName& model, const HubOptions& options,
              std::string_view expected) {
  const std::string where = display_url(response.url);
  const std::string code = response.first_header("x-error-code").value_or("");
  const std::string said = printable_line(response.first_header("x-error-message").value_or(""));
  const std::string detail = said.empty() ? "" : fmt::format(" (the hub says: {})", said);
  if (response.end == TransferEnd::kUnreachable) {
    fail(ErrorKind::kNetwork, where, "{}: no network? Expected {}", response.failure, expected);
  }
  if (response.end == TransferEnd::kComplete) {
    switch (response.status) {
      case 401:
      case 403:
        fail(ErrorKind::kNetwork, where,
             "HTTP status {}: {} does not exist, is private, or asks you to accept its terms at {}; {}{}",
             response.status, model.repository(), display_url(options.endpoint + "/" + model.repository()),
             options.token.empty() ? "set HF_TOKEN to a token that may read it"
                                   : "the token in HF_TOKEN may not read it",
             detail);
      case 404:
        fail(ErrorKind::kNotFound, where, "HTTP status 404: {}{}",
             code == "RevisionNotFound" ? fmt::format("{} has no revision '{}'", model.repository(), model.revision)
                                        : fmt::format("expected {}, which the hub does not have", expected),
             detail);
      case 429:
        fail(ErrorKind::kNetwork, where, "HTTP status 429: the hub asks for fewer requests{}; try again later{}",
             response.header("retry-after") ? " (Retry-After: " + printable_line(*response.header("retry-after")) + ")"
                                            : "",
             detail);
      default: break;
    }
  }
  fail(ErrorKind::kNetwork, where, "{}{}", describe_http(response, expected), detail);
}

}  // namespace jina
