#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace jina::test {

struct ServerRequest {
  std::string method;
  std::string target;                          ///< path and query
  std::map<std::string, std::string> headers;  ///< lower-case names

  std::string header(const std::string& name) const;
};

struct ServerReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  bool has_length = true;               ///< send Content-Length (of the whole body) unless `headers` has one
  std::optional<size_t> cut_after{};    ///< close the connection after so many bytes of the body
  std::optional<size_t> stall_after{};  ///< after so many bytes of the body send nothing more, and do not close
  bool is_silent = false;               ///< close without any answer
};

/// An HTTP/1.1 server on 127.0.0.1, one thread a connection, one request a connection: what it answers, and how it
/// misbehaves, is the test's own function. With TLS it shows a certificate that nobody has signed but itself.
class ScriptedServer {
 public:
  using Handler = std::function<ServerReply(const ServerRequest&)>;
  enum class Transport { kPlain, kTls };

  explicit ScriptedServer(Handler handler, Transport transport = Transport::kPlain);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// "http://127.0.0.1:PORT" + path.
  std::string url(const std::string& path = "") const;
  int port() const { return port_; }
  std::vector<ServerRequest> requests() const;
  /// The certificate of a TLS server, as PEM: a client that trusts it may connect.
  const std::string& certificate() const { return certificate_; }

 private:
  struct Tls;
  class Connection;
  void accept_connections();
  void answer(int descriptor);

  Handler handler_;
  std::unique_ptr<Tls> tls_;
  std::string certificate_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> is_stopping_{false};
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace jina::test
