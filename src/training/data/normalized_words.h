#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// `text` lower-cased, its letters, marks and digits kept and everything else a single blank between words; an
/// ideograph is a word of its own. What the filters compare. `text` must be valid UTF-8.
std::string normalize_words(std::string_view text);

/// The words of a normalised text, as views into it.
std::vector<std::string_view> split_words(std::string_view normalized);

/// Hashes of all runs of `length` consecutive words, in order; none when there are fewer words.
std::vector<uint64_t> hash_word_runs(const std::vector<std::string_view>& words, size_t length);

}  // namespace jina
