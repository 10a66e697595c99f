#pragma once

#include "models/bert/names.h"

namespace jina {

/// JinaBertModel's names with feed_forward_type "original": BERT's, without positions.
inline constexpr EncoderNames kPlainAlibiNames = [] {
  EncoderNames names = kBertNames;
  names.positions = {};
  return names;
}();

}  // namespace jina
