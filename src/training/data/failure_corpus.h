#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// A sentence of the corpus with a name in it.
struct NamedSentence {
  std::string text;
  size_t begin = 0;  ///< bytes [begin, end) of the text are the name
  size_t end = 0;
};

/// What the failure cases are made from: names, things and sentences of English text, found by counting.
struct FailureCorpus {
  /// Names: runs of one to four capitalised words inside sentences (never their first word), seen three times or more,
  /// none of which is more often written small.
  std::vector<std::string> names;
  /// Things: small words that stand behind "the", "a" or "an" and in front of a word like "of" or the end of a clause,
  /// seen three times or more, none that ends with s: nouns in the singular, nearly always, without a dictionary.
  std::vector<std::string> things;
  /// Sentences of 6 to 40 words with exactly one mention of exactly one name.
  std::vector<NamedSentence> sentences;
};

/// Both lists come in the order of first appearance. Linear in the bytes of the texts.
FailureCorpus mine_failure_corpus(std::span<const std::string_view> texts);

}  // namespace jina
