#include "search/negatives.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/rng.h"
#include "search/bm25.h"

namespace jina {

namespace {

/// FNV-1a, mixed so that near words are far apart.
uint64_t word_number(std::string_view word) {
  uint64_t value = 0xCBF29CE484222325u;
  for (const char c : word) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix_bits(value);
}

/// Adds to the candidates, of which `places` knows where each stands.
void add_ranking(const std::vector<Hit>& hits, const std::vector<float>* scores,
                 const std::function<bool(int64_t)>& is_known, std::unordered_map<int64_t, size_t>& places,
                 std::vector<Candidate>& candidates) {
  int64_t rank = 0;
  for (size_t i = 0; i < hits.size(); ++i) {
    if (is_known(hits[i].row)) continue;
    const auto [place, is_new] = places.try_emplace(hits[i].row, candidates.size());
    if (is_new) candidates.push_back({.document = hits[i].row, .rank = rank});
    Candidate& candidate = candidates[place->second];
    candidate.rank = std::min(candidate.rank, rank);
    if (scores != nullptr && !scores->empty()) candidate.score = (*scores)[i];
    if (scores == nullptr) candidate.score = hits[i].score;
    ++rank;
  }
}

enum class Verdict : uint8_t { kFits, kOutOfRange, kTooClose, kTooFar };

Verdict judge(const Candidate& candidate, float positive_score, const NegativeRules& rules) {
  if (candidate.rank < rules.range_min || candidate.rank >= rules.range_max) return Verdict::kOutOfRange;
  if (std::isnan(candidate.score)) return Verdict::kFits;
  const double score = candidate.score;
  const double positive = positive_score;
  // A share of a negative score would be above it; the distance is then what the share would be on the other side.
  const bool is_near = rules.relative_margin && score > positive - *rules.relative_margin * std::fabs(positive);
  const bool is_within = rules.absolute_margin && score > positive - *rules.absolute_margin;
  if (is_near || is_within || (rules.max_score && score > *rules.max_score)) return Verdict::kTooClose;
  return rules.min_score && score < *rules.min_score ? Verdict::kTooFar : Verdict::kFits;
}

/// A random order, the same for the same seed and row.
void shuffle(std::vector<Candidate>& candidates, const NegativeRules& rules, uint64_t row) {
  const CounterRng rng(rules.seed, row);
  for (size_t i = candidates.size(); i > 1; --i) {
    std::swap(candidates[i - 1], candidates[static_cast<size_t>(rng.uniform(i) * static_cast<double>(i))]);
  }
}

}  // namespace

uint64_t text_key(std::string_view text) {
  uint64_t key = 0;
  for (const std::string& word : words_of(text)) key = mix_bits(key + word_number(word));
  return key;
}

std::vector<uint64_t> word_set(std::string_view text) {
  std::vector<uint64_t> words;
  for (const std::string& word : words_of(text)) words.push_back(word_number(word));
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

double word_overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  if (a.empty() && b.empty()) return 0;
  std::vector<uint64_t> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  return static_cast<double>(common.size()) / static_cast<double>(a.size() + b.size() - common.size());
}

std::vector<Candidate> unite_rankings(const std::vector<Hit>& dense, const std::vector<Hit>& words,
                                      const std::vector<float>& word_scores,
                                      const std::function<bool(int64_t document)>& is_known) {
  std::vector<Candidate> candidates;
  std::unordered_map<int64_t, size_t> places;
  add_ranking(dense, nullptr, is_known, places, candidates);
  add_ranking(words, &word_scores, is_known, places, candidates);
  std::ranges::stable_sort(candidates, {}, &Candidate::rank);
  return candidates;
}

std::vector<Candidate> choose_negatives(const std::vector<Candidate>& ranked, float positive_score,
                                        const NegativeRules& rules, uint64_t row,
                                        const std::function<bool(int64_t document)>& is_duplicate,
                                        NegativeCounts& counts) {
  std::vector<Candidate> fitting;
  for (const Candidate& candidate : ranked) {
    ++counts.candidates;
    switch (judge(candidate, positive_score, rules)) {
      case Verdict::kFits: fitting.push_back(candidate); break;
      case Verdict::kOutOfRange: ++counts.out_of_range; break;
      case Verdict::kTooClose: ++counts.too_close; break;
      case Verdict::kTooFar: ++counts.too_far; break;
    }
  }
  if (rules.sampling == NegativeSampling::kRandom) shuffle(fitting, rules, row);
  std::vector<Candidate> chosen;
  for (const Candidate& candidate : fitting) {
    if (static_cast<int64_t>(chosen.size()) == rules.count) break;
    if (is_duplicate(candidate.document)) {
      ++counts.duplicates;
    } else {
      chosen.push_back(candidate);
    }
  }
  std::ranges::stable_sort(chosen, {}, &Candidate::rank);
  return chosen;
}

}  // namespace jina
