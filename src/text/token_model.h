#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace jina {

/// One token of a pre-token: its id and its half-open byte range within that pre-token.
struct ModelToken {
  int32_t id;
  uint32_t begin;
  uint32_t end;
};

/// A tokenisation algorithm with its vocabulary: WordPiece, Unigram, byte-level BPE. Immutable and thread-safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the tokens of one pre-token to `out`.
  virtual void tokenize(std::string_view pre_token, std::vector<ModelToken>& out) const = 0;
  virtual int64_t vocab_size() const = 0;
  virtual std::string_view token(int32_t id) const = 0;
  virtual std::optional<int32_t> id(std::string_view token) const = 0;
};

}  // namespace jina
