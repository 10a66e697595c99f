#pragma once

#include "training/losses/loss.h"

namespace jina {

/// Late interaction scores: for each token of a query the largest inner product with a token of the document, the mean
/// over the query's tokens. Rows as given, not normalised here. → (queries, documents)
/// Documents are taken in blocks, so that at most `block_elements` inner products exist at a time (more only where one
/// query token times one document is more); the backward pass uses blocks too. Derivatives of first order only.
/// `name` of the caller stands in errors. kInvalidInput: offsets that do not fit the vectors, or a text without tokens.
at::Tensor max_sim(const TokenVectors& queries, const TokenVectors& documents, std::string_view name,
                   int64_t block_elements = int64_t{1} << 24);

}  // namespace jina
