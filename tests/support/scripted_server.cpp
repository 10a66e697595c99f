#include "support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace jina::test {

namespace {

constexpr int kPollMs = 20;

bool wait_readable(int descriptor, const std::atomic<bool>& is_stopping) {
  while (!is_stopping) {
    pollfd entry{descriptor, POLLIN, 0};
    if (poll(&entry, 1, kPollMs) > 0) return true;
  }
  return false;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

ServerRequest parse_request(const std::string& text) {
  ServerRequest request;
  const size_t line_end = text.find("\r\n");
  const std::string line = text.substr(0, line_end);
  const size_t space = line.find(' ');
  request.method = line.substr(0, space);
  request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
  for (size_t begin = line_end + 2; begin < text.size();) {
    const size_t end = text.find("\r\n", begin);
    const size_t colon = text.find(": ", begin);
    if (end == std::string::npos || end == begin || colon == std::string::npos || colon > end) break;
    request.headers[lower(text.substr(begin, colon - begin))] = text.substr(colon + 2, end - colon - 2);
    begin = end + 2;
  }
  return request;
}

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("scripted server: ") + what);
}

}  // namespace

/// A key and a certificate for 127.0.0.1, signed by itself.
struct ScriptedServer::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();

  Tls() {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    require(X509_sign(certificate, key, EVP_sha256()) > 0, "cannot sign the certificate");
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
  }
  ~Tls() {
    X509_free(certificate);
    EVP_PKEY_free(key);
    SSL_CTX_free(context);
  }
  std::string pem() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(memory);
    return text;
  }
};

/// One accepted connection, plain or TLS.
class ScriptedServer::Connection {
 public:
  Connection(int descriptor, SSL_CTX* context) : descriptor_(descriptor) {
    if (context == nullptr) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, descriptor);
    is_open_ = SSL_accept(ssl_) == 1;
  }
  ~Connection() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    shutdown(descriptor_, SHUT_WR);
    close(descriptor_);
  }
  bool is_open() const { return is_open_; }
  int read(char* buffer, int size) {
    return ssl_ != nullptr ? SSL_read(ssl_, buffer, size) : static_cast<int>(recv(descriptor_, buffer, size, 0));
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto count = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                         : send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

 private:
  int descriptor_;
  SSL* ssl_ = nullptr;
  bool is_open_ = true;
};

std::string ServerRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

ScriptedServer::ScriptedServer(Handler handler, Transport transport) : handler_(std::move(handler)) {
  if (transport == Transport::kTls) {
    tls_ = std::make_unique<Tls>();
    certificate_ = tls_->pem();
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "cannot bind");
  require(listen(listener_, 64) == 0, "cannot listen");
  require(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "no port");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_connections(); });
}

ScriptedServer::~ScriptedServer() {
  is_stopping_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
}

std::string ScriptedServer::url(const std::string& path) const {
  return (tls_ ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_) + path;
}

std::vector<ServerRequest> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::accept_connections() {
  while (wait_readable(listener_, is_stopping_)) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) connections_.emplace_back([this, descriptor] { answer(descriptor); });
  }
}

void ScriptedServer::answer(int descriptor) {
  Connection connection(descriptor, tls_ ? tls_->context : nullptr);
  std::string text;
  char buffer[4096];
  while (connection.is_open() && text.find("\r\n\r\n") == std::string::npos) {
    if (!tls_ && !wait_readable(descriptor, is_stopping_)) return;
    const int count = connection.read(buffer, sizeof buffer);
    if (count <= 0) return;
    text.append(buffer, static_cast<size_t>(count));
  }
  if (!connection.is_open()) return;
  const ServerRequest request = parse_request(text);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const ServerReply reply = handler_(request);
  if (reply.is_silent) return;
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\nConnection: close\r\n";
  bool has_length = !reply.has_length;
  for (const auto& [name, value] : reply.headers) {
    head += name + ": " + value + "\r\n";
    has_length = has_length || lower(name) == "content-length";
  }
  if (!has_length) head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  if (!connection.write(head + "\r\n") || request.method == "HEAD") return;
  const size_t size = std::min(
      {reply.body.size(), reply.cut_after.value_or(reply.body.size()), reply.stall_after.value_or(reply.body.size())});
  connection.write(std::string_view(reply.body).substr(0, size));
  while (reply.stall_after && !is_stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
}

}  // namespace jina::test
