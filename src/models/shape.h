#pragma once

#include <cstdint>

#include "base/json.h"

namespace jina {

/// The sizes of an encoder, under the names that every family's config.json gives them.
struct EncoderShape {
  int64_t vocabulary = 0;
  int64_t hidden = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t inner = 0;      ///< intermediate_size: width between the two layers of the feed-forward
  int64_t positions = 0;  ///< max_position_embeddings
};

/// Error kModelFile naming a field that is missing, not above 0, or does not fit another.
EncoderShape read_shape(const Json& config);

}  // namespace jina
