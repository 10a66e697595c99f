#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "net/hub.h"

namespace jina {

/// Fetches files of one commit, one at a time, over a connection of its own: one per thread.
///
/// A file arrives as "<target>.part", beside which "<target>.etag" says of what it is a part; a later call, also of a
/// later process, goes on from there when the remote file is still the same and starts anew when it is not. It takes
/// its final name when size and digest are right.
class Downloader {
 public:
  /// `on_bytes` hears how many bytes were gained (or lost, below zero, when a file starts anew); optional.
  Downloader(const Hub& hub, ModelName model, std::string commit, HttpOptions http,
             std::function<void(int64_t)> on_bytes);

  /// Brings `file` to the path `target`, whose directory exists. Errors: kNetwork (refused, cut too often, damaged,
  /// another file than announced), kIo (disk), kCancelled; the part is kept unless it is damaged.
  void fetch(const HubFile& file, const std::string& target);

 private:
  class Part;
  HttpResponse transfer(const HubFile& file, Part& part);
  void check_answer(const HttpResponse& response, const HubFile& file, const Part& part) const;

  const Hub& hub_;
  ModelName model_;
  std::string commit_;
  HttpClient client_;
  std::function<bool()> is_cancelled_;
  std::function<void(int64_t)> on_bytes_;
};

}  // namespace jina
