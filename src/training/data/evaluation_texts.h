#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "training/data/text_table.h"

namespace jina {

/// How a training text meets an evaluation text. Both are compared as normalize_words() leaves them.
enum class Overlap : uint8_t {
  kNone,
  kEqual,      ///< equal, three words or more
  kShortText,  ///< eight consecutive words of an evaluation text of at most 60 words
  kLongText,   ///< thirteen consecutive words of a longer one
};

/// Evaluation texts as hashes of 64 bits: with n of them and m questions about n m / 2^64 are wrong.
struct EvaluationTexts {
  HashSet texts;
  HashSet short_runs;
  HashSet long_runs;
  int64_t count = 0;  ///< of those with three words or more
};

void add_evaluation_text(std::string_view text, EvaluationTexts& texts);

/// Every text of the files counts: each string of .json and .jsonl, at any depth; each field of .csv; each field
/// between tabs of any other file. All may be gzip. Errors: kNotFound, kIo; kInvalidInput for what cannot be parsed.
EvaluationTexts read_evaluation_texts(const std::vector<std::string>& files);

/// How a normalised text meets one of them.
Overlap find_overlap(std::string_view normalized, const EvaluationTexts& texts);

}  // namespace jina
