#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// Half-open range of UTF-8 bytes in the text that was given.
struct ByteSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const ByteSpan&) const = default;
};

/// The tokens of one text (or pair of texts). All vectors have one entry per token.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<ByteSpan> offsets;  ///< relative to the text that the token comes from; (0, 0) for template tokens
  std::vector<uint8_t> special;   ///< 1 for tokens added by the template, as special_tokens_mask of HF tokenizers
  std::vector<int32_t> type_ids;  ///< 0, or 1 for the second text of a pair
  /// 1 for the first token of each word (pre-token), for added tokens and for template tokens; where the word_ids of HF
  /// tokenizers change.
  std::vector<uint8_t> word_starts;
};

struct EncodeOptions {
  bool add_special_tokens = true;
  int64_t max_length = 0;  ///< truncate to this many tokens, template tokens included; 0: never
};

/// A tokenizer read from a Hugging Face tokenizer.json; ids and offsets are those of HF `tokenizers`. Stored truncation
/// and padding settings are not applied. Immutable and thread-safe once loaded.
///
///     const Tokenizer tokenizer = Tokenizer::load("model/tokenizer.json");
///     const Encoding encoding = tokenizer.encode("hello world");
class Tokenizer {
 public:
  /// Errors: kNotFound, kModelFile naming the unknown or broken component.
  static Tokenizer load(const std::string& path);
  static Tokenizer parse(std::string_view json, std::string where);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// `text` must be valid UTF-8 (repair_utf8 in base/utf8.h).
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options = {}) const;

  /// Number of ids, added tokens included (largest id + 1).
  int64_t vocab_size() const;
  /// The stored string of an id, e.g. "##ing" or "▁the"; empty for an id without a token.
  std::string_view token(int32_t id) const;
  std::optional<int32_t> id(std::string_view token) const;
  /// Whether an id is one of "added_tokens": special tokens such as [MASK], and what was added to the vocabulary.
  bool is_added(int32_t id) const;
  /// Tokens that the template adds to a single text.
  int64_t special_tokens() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace jina
