#pragma once

#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace jina {

/// What follows the model: the template around one text or two, and the trimming of blanks from offsets.
class PostProcessor {
 public:
  /// One place of a template: the tokens of a text, or special tokens.
  struct Piece {
    int sequence = kSpecial;  ///< 0 or 1 for the first or second text
    int32_t type_id = 0;
    std::vector<int32_t> ids;  ///< of the special tokens
  };
  static constexpr int kSpecial = -1;

  /// No template: the tokens of both texts one after the other, type ids 0 and 1.
  PostProcessor();
  /// Reads the "post_processor" of a tokenizer.json. Errors: the document's kind.
  explicit PostProcessor(const Json& json);

  /// Number of special tokens that the template adds to one text or to a pair.
  int64_t added_tokens(bool is_pair) const;
  const std::vector<Piece>& pieces(bool is_pair) const { return is_pair ? pair_ : single_; }
  /// Moves the ends of a token's range over blanks that it begins or ends with. `index`: its place among the tokens of
  /// its text; blanks are counted in characters of the token itself, not of `text`.
  void trim(std::string_view text, size_t index, size_t leading, size_t trailing, ByteSpan& span) const;
  bool is_trimming() const { return !trims_.empty(); }

 private:
  void read(const Json& json);
  void read_template(const Json& json);
  void read_bert(const Json& json);
  void read_roberta(const Json& json);
  void read_trim(const Json& json);
  void set_template(const Json& json, std::vector<Piece> single, std::vector<Piece> pair);

  std::vector<Piece> single_;
  std::vector<Piece> pair_;
  std::vector<bool> trims_;  // one per trimming step: whether a prefix blank was added and is to be kept
  bool has_template_ = false;
};

}  // namespace jina
