#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jina {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  ///< (lower-case name, value)

struct HttpRequest {
  std::string url{};           ///< http or https
  HttpHeaders headers{};       ///< sent to every host that redirects lead to: nothing secret
  std::string bearer_token{};  ///< sent as Authorization to the scheme, host and port of `url` alone
  bool is_head = false;        ///< ask for the headers only
};

/// How a transfer ended, apart from the status that the server gave.
enum class TransferEnd : uint8_t {
  kComplete,     ///< the whole answer arrived
  kCut,          ///< the connection broke or stalled after it was made; asking again may help
  kUnreachable,  ///< no connection: name, address, refused, proxy
  kRefused,      ///< this side declined: certificate, redirect loop, protocol
};

struct HttpResponse {
  TransferEnd end = TransferEnd::kComplete;
  std::string failure;                 ///< what went wrong, when `end` is not kComplete
  int status = 0;                      ///< of the last hop; 0 when no answer came
  std::string url;                     ///< of the last hop
  HttpHeaders headers;                 ///< of the last hop
  std::vector<HttpHeaders> redirects;  ///< headers of the hops before it, in order
  std::string error_body;              ///< the first 4 KiB of the body when the status is not 2xx

  bool is_success() const { return end == TransferEnd::kComplete && status >= 200 && status < 300; }
  /// A header of the last hop.
  std::optional<std::string> header(std::string_view lower_case_name) const;
  /// A header of the first hop that has it: what the host that was asked said before it sent us on.
  std::optional<std::string> first_header(std::string_view lower_case_name) const;
};

/// Takes the body of a 2xx answer as it arrives. Exceptions of the callbacks end the transfer and are thrown by `send`.
struct HttpSink {
  std::function<void(const HttpResponse&)> on_begin{};  ///< status and headers are known; optional
  std::function<void(std::string_view)> on_bytes{};     ///< the next piece of the body; optional
};

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::seconds stall_timeout{60};  ///< a transfer without a byte for so long is cut
  int max_redirects = 10;
  std::string certificates_file{};       ///< PEM file of the authorities to trust; empty: those of the system
  std::function<bool()> is_cancelled{};  ///< asked about once a second and at each piece; optional
};

/// One HTTP connection at a time, kept open between requests (libcurl). Certificates are verified, proxies come from
/// the usual environment variables, only http and https are spoken, and https is never left for http. Not for two
/// threads.
///
///     HttpClient client({});
///     HttpResponse answer = client.send({.url = "https://host/file"}, {.on_bytes = append});
///     if (!answer.is_success()) fail_http(answer, "the file");
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  /// Sends a request and follows redirects. Every answer is returned, refusals too. Error kCancelled when asked to
  /// stop.
  HttpResponse send(const HttpRequest& request, const HttpSink& sink = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `url` without user, password and query: fit for messages (queries of storage hosts carry signatures).
std::string display_url(const std::string& url);

/// One line saying URL, what happened, and what was expected instead.
std::string describe_http(const HttpResponse& response, std::string_view expected);

/// Throws Error kNetwork with describe_http.
[[noreturn]] void fail_http(const HttpResponse& response, std::string_view expected);

}  // namespace jina
