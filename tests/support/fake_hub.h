#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "support/scripted_server.h"

namespace jina::test {

/// A hub with one repository, "acme/tiny", in memory: the API listing, small files answered at once, large ones by a
/// redirect to a storage server on another port, as the true hub does. Tests spoil answers one by one.
class FakeHub {
 public:
  /// Changes one answer; the request tells which range was asked for.
  using Fault = std::function<void(const ServerRequest&, ServerReply&)>;

  FakeHub();

  std::string url() const { return hub_.url(); }
  std::string storage_url() const { return storage_.url(); }
  const std::string& commit() const { return commit_; }

  void put(const std::string& path, std::string content);
  void put_large(const std::string& path, std::string content);
  void erase(const std::string& path);
  /// A small complete model: config, tokenizer, modules, weights of `weight_bytes` pseudo-random bytes, and files that
  /// no engine needs.
  void put_model(size_t weight_bytes);
  /// The revision moves to this commit; the one before is gone.
  void move_to(const std::string& commit);
  /// Leaves sizes and digests out of the listing, as a mirror without ?blobs does.
  void hide_digests() { hides_digests_ = true; }
  /// What the storage says as ETag for all files, in place of one of its own per content.
  void set_storage_etag(const std::string& etag) { storage_etag_ = etag; }

  /// The next answers that carry the content of `path` pass through these faults, one each. "api" is the
  /// listing, "redirect" every answer that leads to the storage.
  void spoil(const std::string& path, std::vector<Fault> faults);
  /// Every answer for `path` passes through it.
  void spoil_always(const std::string& path, Fault fault);

  /// How often the content of `path` was asked for; its ranges, in order ("" for the whole).
  std::vector<std::string> ranges(const std::string& path) const;
  std::vector<ServerRequest> hub_requests() const { return hub_.requests(); }
  std::vector<ServerRequest> storage_requests() const { return storage_.requests(); }

 private:
  struct File {
    std::string content;
    bool is_large = false;
  };
  ServerReply answer_hub(const ServerRequest& request);
  ServerReply answer_storage(const ServerRequest& request);
  ServerReply list() const;
  ServerReply resolve(const ServerRequest& request, const std::string& path);
  ServerReply send_content(const ServerRequest& request, const std::string& path, const std::string& etag);
  void apply_fault(const std::string& path, const ServerRequest& request, ServerReply& reply);

  mutable std::mutex mutex_;
  std::string commit_ = std::string(40, 'a');
  std::map<std::string, File> files_;
  std::map<std::string, std::deque<Fault>> faults_;
  std::map<std::string, Fault> lasting_faults_;
  std::map<std::string, std::vector<std::string>> ranges_;
  std::string storage_etag_;
  bool hides_digests_ = false;
  ScriptedServer storage_;
  ScriptedServer hub_;
};

/// Faults that several tests use.
FakeHub::Fault cut_after(size_t bytes);
FakeHub::Fault answer_status(int status);
FakeHub::Fault flip_byte(size_t position);

/// Pseudo-random bytes, the same for the same seed.
std::string noise(size_t bytes, uint32_t seed = 1);

}  // namespace jina::test
