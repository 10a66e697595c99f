#include "embedding/fingerprint.h"

#include "base/error.h"
#include "base/sha256.h"

namespace jina {

std::string make_fingerprint(const std::string& weights_digest, const ModelCard& card, const TaskChoice& task,
                             const EmbedOptions& options) {
  const int64_t dimensions = options.dimensions == 0 ? card.dimensions : options.dimensions;
  Sha256 digest;
  digest.update(
      fmt::format("weights {}\nadapter {}\nprompt {} {}\npooling {}\ndimensions {}\nnormalize {}\nkind {}\n"
                  "preprocessing {}\n",
                  weights_digest, task.adapter, task.prompt.size(), task.prompt, card.pooling, dimensions,
                  options.normalize, static_cast<int>(options.kind), kPreprocessingVersion));
  return digest.hex().substr(0, 16);
}

}  // namespace jina
