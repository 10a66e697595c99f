#pragma once

#include <string>

#include "embedding/plan.h"

namespace jina {

/// Raised when anything between text and vector changes meaning (tokeniser, chunk rules, pooling).
constexpr int kPreprocessingVersion = 1;

/// 16 hexadecimal digits: the first 64 bits of SHA-256 over weights digest, adapter, prompt, pooling, dimensions,
/// normalisation, kind and preprocessing version.
std::string make_fingerprint(const std::string& weights_digest, const ModelCard& card, const TaskChoice& task,
                             const EmbedOptions& options);

}  // namespace jina
