#include "support/fake_hub.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <random>

namespace jina::test {

namespace {

std::string digest_hex(const EVP_MD* kind, const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string git_sha1(const std::string& content) {
  std::string blob = fmt::format("blob {}", content.size());
  blob.push_back('\0');
  return digest_hex(EVP_sha1(), blob + content);
}

std::string sha256(const std::string& content) { return digest_hex(EVP_sha256(), content); }

}  // namespace

FakeHub::FakeHub()
    : storage_([this](const ServerRequest& request) { return answer_storage(request); }),
      hub_([this](const ServerRequest& request) { return answer_hub(request); }) {}

void FakeHub::put(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  files_[path] = {std::move(content), false};
}

void FakeHub::put_large(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  files_[path] = {std::move(content), true};
}

void FakeHub::erase(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_.erase(path);
}

void FakeHub::put_model(size_t weight_bytes) {
  put("config.json", R"({"model_type": "bert"})");
  put("modules.json", R"([{"idx": 0, "path": ""}, {"idx": 1, "path": "1_Pooling"}])");
  put("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  put_large("tokenizer.json", noise(5000, 7));
  put_large("model.safetensors", noise(weight_bytes));
  put("README.md", "not needed");
  put_large("pytorch_model.bin", noise(100, 3));
  put_large("onnx/model.onnx", noise(100, 4));
}

void FakeHub::move_to(const std::string& commit) {
  const std::lock_guard lock(mutex_);
  commit_ = commit;
}

void FakeHub::spoil(const std::string& path, std::vector<Fault> faults) {
  const std::lock_guard lock(mutex_);
  faults_[path].assign(faults.begin(), faults.end());
}

void FakeHub::spoil_always(const std::string& path, Fault fault) {
  const std::lock_guard lock(mutex_);
  lasting_faults_[path] = std::move(fault);
}

std::vector<std::string> FakeHub::ranges(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = ranges_.find(path);
  return found == ranges_.end() ? std::vector<std::string>{} : found->second;
}

void FakeHub::apply_fault(const std::string& path, const ServerRequest& request, ServerReply& reply) {
  if (const auto lasting = lasting_faults_.find(path); lasting != lasting_faults_.end())
    lasting->second(request, reply);
  const auto queue = faults_.find(path);
  if (queue == faults_.end() || queue->second.empty()) return;
  const Fault fault = queue->second.front();
  queue->second.pop_front();
  fault(request, reply);
}

ServerReply FakeHub::answer_hub(const ServerRequest& request) {
  const std::lock_guard lock(mutex_);
  const std::string listing = "/api/models/acme/tiny/revision/";
  if (request.target.starts_with(listing)) {
    const std::string rest = request.target.substr(listing.size());
    const std::string revision = rest.substr(0, rest.find('?'));
    ServerReply reply =
        revision == "main" || revision == commit_ || revision == "refs%2Fpr%2F1" ? list() : ServerReply{};
    if (reply.body.empty()) reply = {.status = 404, .headers = {{"X-Error-Code", "RevisionNotFound"}}, .body = "{}"};
    apply_fault("api", request, reply);
    return reply;
  }
  const std::string prefix = "/acme/tiny/resolve/" + commit_ + "/";
  if (request.target.starts_with(prefix)) return resolve(request, request.target.substr(prefix.size()));
  return {.status = 401, .headers = {{"X-Error-Code", "RepoNotFound"}}, .body = "{}"};
}

ServerReply FakeHub::list() const {
  std::string siblings;
  for (const auto& [path, file] : files_) {
    siblings += fmt::format(R"({}{{"rfilename": "{}")", siblings.empty() ? "" : ", ", path);
    if (!hides_digests_) {
      siblings += fmt::format(R"(, "size": {}, "blobId": "{}")", file.content.size(), git_sha1(file.content));
      if (file.is_large) {
        siblings += fmt::format(R"(, "lfs": {{"sha256": "{}", "size": {}, "pointerSize": 130}})", sha256(file.content),
                                file.content.size());
      }
    }
    siblings += "}";
  }
  return {.headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"id": "acme/tiny", "sha": "{}", "siblings": [{}]}})", commit_, siblings)};
}

ServerReply FakeHub::resolve(const ServerRequest& request, const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}, .body = "{}"};
  const File& file = found->second;
  if (!file.is_large) return send_content(request, path, git_sha1(file.content));
  ServerReply reply{.status = 302,
                    .headers = {{"Location", storage_.url("/" + path + "?signature=secret")},
                                {"X-Repo-Commit", commit_},
                                {"X-Linked-Size", std::to_string(file.content.size())},
                                {"X-Linked-Etag", "\"" + sha256(file.content) + "\""}},
                    .body = "Found"};
  apply_fault("redirect", request, reply);
  return reply;
}

ServerReply FakeHub::answer_storage(const ServerRequest& request) {
  const std::lock_guard lock(mutex_);
  const std::string path = request.target.substr(1, request.target.find('?') - 1);
  const auto found = files_.find(path);
  if (found == files_.end()) return {.status = 404, .body = "gone"};
  const std::string etag = "of-storage-" + git_sha1(found->second.content).substr(0, 8);
  return send_content(request, path, storage_etag_.empty() ? etag : storage_etag_);
}

ServerReply FakeHub::send_content(const ServerRequest& request, const std::string& path, const std::string& etag) {
  const std::string& content = files_[path].content;
  const std::string range = request.header("range");
  const std::string condition = request.header("if-range");
  if (request.method == "GET") ranges_[path].push_back(range);
  ServerReply reply{.headers = {{"ETag", "\"" + etag + "\""}, {"X-Repo-Commit", commit_}}, .body = content};
  if (!range.empty() && (condition.empty() || condition == "\"" + etag + "\"")) {
    const size_t first = std::stoul(range.substr(std::string("bytes=").size()));
    if (first >= content.size()) {
      reply = {.status = 416, .headers = {{"Content-Range", fmt::format("bytes */{}", content.size())}}};
    } else {
      reply.status = 206;
      reply.headers.emplace_back("Content-Range",
                                 fmt::format("bytes {}-{}/{}", first, content.size() - 1, content.size()));
      reply.body = content.substr(first);
    }
  }
  apply_fault(path, request, reply);
  return reply;
}

FakeHub::Fault cut_after(size_t bytes) {
  return [bytes](const ServerRequest&, ServerReply& reply) { reply.cut_after = bytes; };
}

FakeHub::Fault answer_status(int status) {
  return [status](const ServerRequest&, ServerReply& reply) { reply = {.status = status, .body = "refused"}; };
}

FakeHub::Fault flip_byte(size_t position) {
  return [position](const ServerRequest&, ServerReply& reply) {
    if (position < reply.body.size()) reply.body[position] = static_cast<char>(reply.body[position] ^ 1);
  };
}

std::string noise(size_t bytes, uint32_t seed) {
  std::mt19937 generator(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(generator() & 0xFF);
  return text;
}

}  // namespace jina::test
