#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace jina {

/// What masking needs of a vocabulary.
struct MaskVocabulary {
  int32_t mask = 0;                 ///< [MASK] or <mask>
  std::vector<uint8_t> is_special;  // (ids) added tokens: never masked, never put in by chance
  std::vector<int32_t> ordinary;    // all other ids that have a token
};

/// Error kModelFile when the tokenizer has no mask token.
MaskVocabulary find_mask_vocabulary(const Tokenizer& tokenizer);

/// A text with some of its words hidden.
struct MaskedText {
  std::vector<int32_t> ids;        // (tokens)
  std::vector<int32_t> positions;  // (chosen tokens) ascending
  std::vector<int32_t> targets;    // (chosen tokens) what stood there
};

/// Which draw this is: masking is a function of these three and of the text.
struct MaskDraw {
  uint64_t seed = 0;
  int64_t step = 0;
  int64_t row = 0;  ///< of the joined batch
};

/// Hides whole words (Devlin et al. 2019, the whole-word variant): of a text's words the share `rate` is chosen, all
/// equally likely, rounded up or down by chance so that the mean is exact; each token of a chosen word becomes the mask
/// (80 %), an ordinary token (10 %) or stays (10 %). Words go from one entry of 1 in `word_starts` to the next; special
/// tokens are in no word.
MaskedText mask_words(std::span<const int32_t> ids, std::span<const uint8_t> word_starts,
                      const MaskVocabulary& vocabulary, double rate, const MaskDraw& draw);

}  // namespace jina
