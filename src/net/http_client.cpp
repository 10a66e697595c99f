#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "base/error.h"

namespace jina {

namespace {

constexpr size_t kErrorBodyBytes = 4096;
constexpr char kUserAgent[] = "jina.cpp";

/// A parsed URL of libcurl.
class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) {
    is_valid_ = curl_url_set(handle_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  bool is_valid() const { return is_valid_; }
  /// Goes to `target`, which may be relative.
  bool follow(const std::string& target) {
    return curl_url_set(handle_, CURLUPART_URL, target.c_str(), CURLU_URLENCODE) == CURLUE_OK;
  }
  std::string part(CURLUPart which) const {
    char* value = nullptr;
    if (curl_url_get(handle_, which, &value, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string text(value);
    curl_free(value);
    return text;
  }
  std::string origin() const {
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT);
  }
  void clear(CURLUPart which) { curl_url_set(handle_, which, nullptr, 0); }
  std::string text() const {
    char* value = nullptr;
    if (curl_url_get(handle_, CURLUPART_URL, &value, 0) != CURLUE_OK) return {};
    std::string text(value);
    curl_free(value);
    return text;
  }

 private:
  CURLU* handle_;
  bool is_valid_ = false;
};

/// A header list of libcurl.
struct HeaderList {
  curl_slist* list = nullptr;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::optional<std::string> find_header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

TransferEnd end_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return TransferEnd::kComplete;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return TransferEnd::kUnreachable;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR: return TransferEnd::kRefused;
    default: return TransferEnd::kCut;  // libcurl has a hundred codes; what is not named above broke on the way
  }
}

/// What the callbacks of libcurl share during one hop.
struct Hop {
  HttpResponse& response;
  const HttpSink& sink;
  const std::function<bool()>& is_cancelled;
  bool has_begun = false;
  std::exception_ptr failure;

  bool wants_body() const { return response.status >= 200 && response.status < 300; }

  void begin() {
    if (has_begun) return;
    has_begun = true;
    if (wants_body() && sink.on_begin) sink.on_begin(response);
  }
};

size_t take_header(char* data, size_t, size_t count, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  const std::string_view line(data, count);
  if (line.starts_with("HTTP/")) {  // a new status line: what came before was informational (1xx)
    hop.response.headers.clear();
    const size_t space = line.find(' ');
    hop.response.status = space == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(space + 1)).c_str());
    return count;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  std::string name(trim(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  hop.response.headers.emplace_back(std::move(name), std::string(trim(line.substr(colon + 1))));
  return count;
}

size_t take_body(char* data, size_t, size_t count, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  try {
    hop.begin();
    if (hop.wants_body()) {
      if (hop.sink.on_bytes) hop.sink.on_bytes({data, count});
      return count;
    }
  } catch (...) {
    hop.failure = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  std::string& text = hop.response.error_body;
  const size_t room = kErrorBodyBytes - std::min(kErrorBodyBytes, text.size());
  text.append(data, std::min(room, count));
  return room == 0 ? CURL_WRITEFUNC_ERROR : count;  // enough of a page that only explains a refusal
}

int watch_for_cancel(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const Hop& hop = *static_cast<Hop*>(user);
  return hop.is_cancelled && hop.is_cancelled() ? 1 : 0;
}

void initialise_curl_once() {
  static const CURLcode kCode = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kCode != CURLE_OK) fail(ErrorKind::kInternal, "libcurl", "cannot start: {}", curl_easy_strerror(kCode));
}

}  // namespace

struct HttpClient::State {
  HttpOptions options;
  CURL* curl = nullptr;
  char message[CURL_ERROR_SIZE] = {};

  ~State() { curl_easy_cleanup(curl); }

  void prepare(const HttpRequest& request, const std::string& url, curl_slist* headers, Hop& hop) {
    curl_easy_reset(curl);  // options only: open connections stay
    message[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // time-outs without SIGALRM: the program has threads
    curl_easy_setopt(curl, CURLOPT_USERAGENT, kUserAgent);
    curl_easy_setopt(curl, CURLOPT_NOBODY, request.is_head ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
    if (!options.certificates_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, options.certificates_file.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &hop);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &hop);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_for_cancel);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &hop);
  }

  /// One request without following; fills `response`.
  void send_once(const HttpRequest& request, bool is_same_origin, HttpResponse& response, const HttpSink& sink) {
    HeaderList headers;
    for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);
    if (is_same_origin && !request.bearer_token.empty()) headers.add("Authorization: Bearer " + request.bearer_token);
    Hop hop{response, sink, options.is_cancelled, false, {}};
    prepare(request, response.url, headers.list, hop);
    const CURLcode code = curl_easy_perform(curl);
    if (hop.failure) std::rethrow_exception(hop.failure);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
      fail(ErrorKind::kCancelled, display_url(request.url), "the transfer was stopped");
    }
    const bool is_cut_short_by_us = code == CURLE_WRITE_ERROR && !hop.wants_body() && response.status != 0;
    if (code != CURLE_OK && !is_cut_short_by_us) {
      response.end = end_of(code);
      response.failure = message[0] != '\0' ? message : curl_easy_strerror(code);
      return;
    }
    hop.begin();  // an empty body has no first piece
  }
};

HttpClient::HttpClient(HttpOptions options) : state_(std::make_unique<State>()) {
  initialise_curl_once();
  state_->options = std::move(options);
  state_->curl = curl_easy_init();
  if (state_->curl == nullptr) fail(ErrorKind::kInternal, "libcurl", "cannot make a handle");
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

HttpResponse HttpClient::send(const HttpRequest& request, const HttpSink& sink) {
  HttpResponse response;
  response.url = request.url;
  const auto refuse = [&](std::string reason) {
    response.end = TransferEnd::kRefused;
    response.failure = std::move(reason);
    return response;
  };
  Url url(request.url);
  if (!url.is_valid()) return refuse("not a valid http or https URL");
  const std::string first_origin = url.origin();
  for (int redirects = 0;; ++redirects) {
    state_->send_once(request, url.origin() == first_origin, response, sink);
    const std::optional<std::string> location = response.header("location");
    if (response.end != TransferEnd::kComplete || !is_redirect(response.status) || !location) return response;
    if (redirects == state_->options.max_redirects) {
      return refuse(fmt::format("more than {} redirects", state_->options.max_redirects));
    }
    const bool was_secure = url.part(CURLUPART_SCHEME) == "https";
    if (!url.follow(*location)) return refuse("redirected to something that is not a URL");
    const std::string scheme = url.part(CURLUPART_SCHEME);
    if (scheme != "https" && (scheme != "http" || was_secure)) {
      return refuse(fmt::format("redirected to {}, which is not {}", display_url(url.text()),
                                was_secure ? "https" : "http or https"));
    }
    response.redirects.push_back(std::move(response.headers));
    response.headers.clear();
    response.error_body.clear();
    response.status = 0;
    response.url = url.text();
  }
}

std::optional<std::string> HttpResponse::header(std::string_view lower_case_name) const {
  return find_header(headers, lower_case_name);
}

std::optional<std::string> HttpResponse::first_header(std::string_view lower_case_name) const {
  for (const HttpHeaders& hop : redirects) {
    if (auto value = find_header(hop, lower_case_name)) return value;
  }
  return header(lower_case_name);
}

std::string display_url(const std::string& url) {
  Url parsed(url);
  if (!parsed.is_valid()) return "the URL given";
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    parsed.clear(part);
  }
  return parsed.text();
}

std::string describe_http(const HttpResponse& response, std::string_view expected) {
  if (response.end == TransferEnd::kComplete)
    return fmt::format("HTTP status {}, expected {}", response.status, expected);
  return fmt::format("{} (expected {})", response.failure, expected);
}

void fail_http(const HttpResponse& response, std::string_view expected) {
  fail(ErrorKind::kNetwork, display_url(response.url), "{}", describe_http(response, expected));
}

}  // namespace jina
