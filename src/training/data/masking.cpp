#include "training/data/masking.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

constexpr double kMasked = 0.8;
constexpr double kRandom = 0.1;

/// Where each kind of draw begins among the positions of one text's random numbers.
constexpr uint64_t kRounding = uint64_t{1} << 40;
constexpr uint64_t kFates = uint64_t{1} << 41;
constexpr uint64_t kTokens = uint64_t{1} << 42;

struct Word {
  size_t begin;
  size_t end;
};

std::vector<Word> find_words(std::span<const int32_t> ids, std::span<const uint8_t> word_starts,
                             const MaskVocabulary& vocabulary) {
  std::vector<Word> words;
  bool is_inside = false;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (vocabulary.is_special[static_cast<size_t>(ids[i])] != 0) {
      is_inside = false;
    } else if (!is_inside || word_starts[i] != 0) {
      words.push_back({i, i + 1});
      is_inside = true;
    } else {
      words.back().end = i + 1;
    }
  }
  return words;
}

}  // namespace

MaskVocabulary find_mask_vocabulary(const Tokenizer& tokenizer) {
  MaskVocabulary vocabulary;
  auto mask = tokenizer.id("[MASK]");
  if (!mask) mask = tokenizer.id("<mask>");
  if (!mask) {
    fail(ErrorKind::kModelFile, "tokenizer.json",
         "expected a token [MASK] or <mask> for masked-language training, found none");
  }
  vocabulary.mask = *mask;
  vocabulary.is_special.resize(static_cast<size_t>(tokenizer.vocab_size()), 0);
  for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.vocab_size()); ++id) {
    const bool is_special = tokenizer.is_added(id) || id == *mask;
    vocabulary.is_special[static_cast<size_t>(id)] = is_special ? 1 : 0;
    if (!is_special && !tokenizer.token(id).empty()) vocabulary.ordinary.push_back(id);
  }
  return vocabulary;
}

MaskedText mask_words(std::span<const int32_t> ids, std::span<const uint8_t> word_starts,
                      const MaskVocabulary& vocabulary, double rate, const MaskDraw& draw) {
  JINA_CHECK(ids.size() == word_starts.size());
  const uint64_t step_key = CounterRng(draw.seed, "masking").bits(static_cast<uint64_t>(draw.step));
  const CounterRng rng(step_key, static_cast<uint64_t>(draw.row));
  std::vector<Word> words = find_words(ids, word_starts, vocabulary);
  const double share = rate * static_cast<double>(words.size());
  const auto chosen = std::min(words.size(), static_cast<size_t>(std::floor(share + rng.uniform(kRounding))));
  for (size_t i = 0; i < chosen; ++i) {
    std::swap(words[i], words[i + rng.bits(i) % (words.size() - i)]);
  }
  words.resize(chosen);
  std::sort(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.begin < b.begin; });
  MaskedText masked;
  masked.ids.assign(ids.begin(), ids.end());
  for (const auto [begin, end] : words) {
    for (size_t i = begin; i < end; ++i) {
      masked.positions.push_back(static_cast<int32_t>(i));
      masked.targets.push_back(ids[i]);
      const double fate = rng.uniform(kFates + i);
      if (fate < kMasked) {
        masked.ids[i] = vocabulary.mask;
      } else if (fate < kMasked + kRandom) {
        masked.ids[i] = vocabulary.ordinary[rng.bits(kTokens + i) % vocabulary.ordinary.size()];
      }
    }
  }
  return masked;
}

}  // namespace jina
