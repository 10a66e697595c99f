#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jina {

/// A token that is found in the text itself, before the model sees it.
struct AddedToken {
  std::string content;  ///< what is matched (already normalised when it is matched in normalised text)
  int32_t id = 0;
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space on its left with it
  bool rstrip = false;       ///< takes the white space on its right with it
};

/// Finds added tokens, leftmost first and the longest of those that begin together.
class AddedTokens {
 public:
  /// A part of the text: an added token, or what lies between two of them (id is kText).
  struct Part {
    ByteSpan span;
    int32_t id;
  };
  static constexpr int32_t kText = -1;

  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  /// Appends the parts of `text`, in order and covering it; nothing for an empty text.
  void split(std::string_view text, std::vector<Part>& parts) const;

 private:
  struct Node {
    char byte;
    int32_t token = -1;        // index in tokens_ of the token that ends here
    int32_t first_child = -1;  // children form a list
    int32_t next_sibling = -1;
  };
  int32_t child(int32_t node, char byte) const;
  void add(int32_t token);
  size_t next_start(std::string_view text, size_t position) const;
  const AddedToken* match(std::string_view text, size_t position) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  std::vector<bool> is_start_;  // by first byte
  int32_t only_start_ = -1;     // the one first byte of all tokens, or -1
};

}  // namespace jina
