#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/log.h"
#include "net/hub.h"
#include "net/manifest.h"

namespace jina {

struct PullOptions {
  HubOptions hub;
  std::string models_dir;   ///< directory of all pulled models, made when absent
  bool is_offline = false;  ///< ask no hub
  int connections = 4;      ///< files fetched at once
  /// Bytes that are here, of all that this pull fetches. Called from several threads, one at a time; optional.
  std::function<void(int64_t done, int64_t total)> on_progress;
  /// One file has come whole. Called as on_progress is; optional.
  std::function<void(const HubFile& file)> on_file;
  LogHook log;
};

struct PullResult {
  Manifest manifest;
  std::string directory;
  int files_fetched = 0;
  int64_t bytes_fetched = 0;  ///< sizes of the files fetched, also of those resumed
};

/// Makes {models_dir}/ORG--NAME hold the revision as the hub has it now. What is there already is kept; the files lie
/// in ".incoming" below it until all are whole, so an older version stays usable until then and a cut pull goes on
/// later. Errors: kNotFound (no such model or revision), kNetwork, kIo, kUnsupported (not a model for this engine),
/// kCancelled.
PullResult pull_model(const ModelName& model, const PullOptions& options);

}  // namespace jina
