#include "net/http_client.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "support/scripted_server.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

struct Answer {
  HttpResponse response;
  std::string body;
};

Answer get(const std::string& url, HttpOptions options = {}, const std::string& token = "") {
  Answer answer;
  answer.response = HttpClient(std::move(options))
                        .send({.url = url, .bearer_token = token},
                              {.on_bytes = [&](std::string_view bytes) { answer.body += bytes; }});
  return answer;
}

ServerReply redirect(const std::string& target, int status = 302) {
  return {.status = status, .headers = {{"Location", target}, {"X-Said", "hop"}}, .body = "go there"};
}

TEST(HttpClient, GetsHeadersAndBody) {
  ScriptedServer server([](const ServerRequest&) {
    return ServerReply{.headers = {{"X-Thing", "  spaced \t"}}, .body = "content"};
  });
  HttpClient client({});
  std::string body;
  const HttpResponse response = client.send({.url = server.url("/a"), .headers = {{"Range", "bytes=1-"}}},
                                            {.on_bytes = [&](std::string_view bytes) { body += bytes; }});
  EXPECT_TRUE(response.is_success());
  EXPECT_EQ(body, "content");
  EXPECT_EQ(response.header("x-thing"), "spaced");
  EXPECT_EQ(response.header("x-other"), std::nullopt);
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].header("range"), "bytes=1-");
  EXPECT_EQ(server.requests()[0].header("authorization"), "");
}

TEST(HttpClient, HeadBringsNoBody) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply{.body = "content"}; });
  const HttpResponse response = HttpClient({}).send({.url = server.url("/"), .is_head = true});
  EXPECT_TRUE(response.is_success());
  EXPECT_EQ(response.header("content-length"), "7");
  EXPECT_EQ(server.requests()[0].method, "HEAD");
}

TEST(HttpClient, AnEmptyBodyBeginsToo) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply{}; });
  int begun = 0;
  HttpClient({}).send({.url = server.url("/")},
                      {.on_begin = [&](const HttpResponse& response) { begun += response.status == 200; }});
  EXPECT_EQ(begun, 1);
}

TEST(HttpClient, FollowsRedirectsAndRemembersThem) {
  ScriptedServer server([](const ServerRequest& request) {
    if (request.target == "/start") return redirect("/middle", 307);
    if (request.target == "/middle") return redirect("end?x=1", 308);
    return ServerReply{.headers = {{"X-Said", "end"}}, .body = "here"};
  });
  const Answer answer = get(server.url("/start"));
  EXPECT_TRUE(answer.response.is_success());
  EXPECT_EQ(answer.body, "here");
  EXPECT_EQ(answer.response.url, server.url("/end?x=1"));
  EXPECT_EQ(answer.response.redirects.size(), 2u);
  EXPECT_EQ(answer.response.header("x-said"), "end");
  EXPECT_EQ(answer.response.first_header("x-said"), "hop");
}

TEST(HttpClient, TheTokenStaysWithItsHost) {
  ScriptedServer other([](const ServerRequest&) { return ServerReply{.body = "stored"}; });
  ScriptedServer server([&](const ServerRequest& request) {
    return request.target == "/start" ? redirect("/next") : redirect(other.url("/file"));
  });
  EXPECT_EQ(get(server.url("/start"), {}, "secret").body, "stored");
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[0].header("authorization"), "Bearer secret");
  EXPECT_EQ(server.requests()[1].header("authorization"), "Bearer secret");
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_EQ(other.requests()[0].header("authorization"), "");
}

TEST(HttpClient, ARedirectLoopEnds) {
  ScriptedServer server([](const ServerRequest&) { return redirect("/again"); });
  const Answer answer = get(server.url("/"), {.max_redirects = 3});
  EXPECT_EQ(answer.response.end, TransferEnd::kRefused);
  EXPECT_EQ(answer.response.failure, "more than 3 redirects");
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST(HttpClient, RedirectsLeadToHttpOnly) {
  ScriptedServer server([](const ServerRequest&) { return redirect("file:///etc/passwd"); });
  const Answer answer = get(server.url("/"));
  EXPECT_EQ(answer.response.end, TransferEnd::kRefused);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(get("file:///etc/passwd").response.end, TransferEnd::kRefused);
  EXPECT_EQ(get("no url").response.end, TransferEnd::kRefused);
}

TEST(HttpClient, ARefusalKeepsTheBeginningOfItsPage) {
  ScriptedServer server([](const ServerRequest&) {
    return ServerReply{.status = 503, .headers = {{"Retry-After", "7"}}, .body = std::string(100'000, 'x')};
  });
  const Answer answer = get(server.url("/"));
  EXPECT_EQ(answer.response.end, TransferEnd::kComplete);
  EXPECT_EQ(answer.response.status, 503);
  EXPECT_FALSE(answer.response.is_success());
  EXPECT_EQ(answer.response.header("retry-after"), "7");
  EXPECT_EQ(answer.response.error_body.size(), 4096u);
  EXPECT_EQ(answer.body, "");
}

TEST(HttpClient, CutAndStalledTransfersAreCut) {
  ScriptedServer server([](const ServerRequest& request) {
    ServerReply reply{.body = std::string(50'000, 'x')};
    if (request.target == "/cut") reply.cut_after = 20'000;
    if (request.target == "/stall") reply.stall_after = 20'000;
    if (request.target == "/silent") reply.is_silent = true;
    return reply;
  });
  const HttpOptions options{.stall_timeout = std::chrono::seconds(1)};
  for (const char* path : {"/cut", "/stall", "/silent"}) {
    const Answer answer = get(server.url(path), options);
    EXPECT_EQ(answer.response.end, TransferEnd::kCut) << path;
    EXPECT_NE(answer.response.failure, "") << path;
    EXPECT_EQ(answer.body.size(), std::string(path) == "/silent" ? 0u : 20'000u) << path;
  }
  EXPECT_EQ(get(server.url("/whole"), options).body.size(), 50'000u);
}

TEST(HttpClient, NobodyThereIsUnreachable) {
  std::string url;
  {
    ScriptedServer server([](const ServerRequest&) { return ServerReply{}; });
    url = server.url("/");
  }
  EXPECT_EQ(get(url).response.end, TransferEnd::kUnreachable);
  EXPECT_EQ(get("http://nobody.invalid/").response.end, TransferEnd::kUnreachable);
}

TEST(HttpClient, CanBeCancelled) {
  ScriptedServer server(
      [](const ServerRequest&) { return ServerReply{.body = std::string(50'000, 'x'), .stall_after = 10}; });
  try {
    get(server.url("/"), {.is_cancelled = [] { return true; }});
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST(HttpClient, ExceptionsOfTheSinkPassThrough) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply{.body = "x"}; });
  const HttpRequest request{.url = server.url("/")};
  HttpClient client({});
  EXPECT_THROW(client.send(request, {.on_bytes = [](std::string_view) { throw std::out_of_range("disk"); }}),
               std::out_of_range);
  EXPECT_THROW(client.send(request, {.on_begin = [](const HttpResponse&) { throw std::out_of_range("no"); }}),
               std::out_of_range);
  EXPECT_TRUE(client.send(request).is_success());
}

TEST(HttpClient, AnUnknownCertificateIsRefused) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply{.body = "x"}; }, ScriptedServer::Transport::kTls);
  const Answer answer = get(server.url("/"), {}, "secret");
  EXPECT_EQ(answer.response.end, TransferEnd::kRefused) << answer.response.failure;
  EXPECT_NE(answer.response.failure.find("certificate"), std::string::npos) << answer.response.failure;
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClient, ATrustedCertificateIsAcceptedAndHttpsIsNotLeft) {
  ScriptedServer plain([](const ServerRequest&) { return ServerReply{.body = "plain"}; });
  ScriptedServer server(
      [&](const ServerRequest& request) {
        return request.target == "/down" ? redirect(plain.url("/")) : ServerReply{.body = "secure"};
      },
      ScriptedServer::Transport::kTls);
  const test::TemporaryDirectory directory;
  directory.write("trusted.pem", server.certificate());
  const HttpOptions options{.certificates_file = directory.path("trusted.pem")};
  EXPECT_EQ(get(server.url("/"), options).body, "secure");
  const Answer answer = get(server.url("/down"), options);
  EXPECT_EQ(answer.response.end, TransferEnd::kRefused);
  EXPECT_NE(answer.response.failure.find("not https"), std::string::npos) << answer.response.failure;
  EXPECT_TRUE(plain.requests().empty());
}

TEST(HttpClient, ShownUrlsKeepNoSecrets) {
  EXPECT_EQ(display_url("https://user:pass@host.example/a/b?signature=1#x"), "https://host.example/a/b");
  EXPECT_EQ(display_url("http://127.0.0.1:8080/a"), "http://127.0.0.1:8080/a");
}

}  // namespace
}  // namespace jina
