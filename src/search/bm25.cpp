#include "search/bm25.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "text/unicode.h"

namespace jina {

namespace {

void append_lowercase(std::string& out, char32_t c) {
  const CharacterMapping lower = lowercase(c);
  if (lower.empty()) {
    append_utf8(out, c);
    return;
  }
  for (const char32_t part : lower) append_utf8(out, part);
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    const uint16_t flags = character_flags(c);
    if ((flags & kWord) == 0 || (flags & kChinese) != 0) end_word();
    if ((flags & (kWord | kChinese)) != 0) append_lowercase(word, c);
    if ((flags & kChinese) != 0) end_word();
  }
  end_word();
  return words;
}

Bm25Index::Bm25Index(const Bm25Options& options) : options_(options) {
  const bool is_sane = options.k1 >= 0 && std::isfinite(options.k1) && options.b >= 0 && options.b <= 1;
  if (!is_sane) {
    fail(ErrorKind::kInvalidArgument, "bm25", "k1 {} and b {}: expected k1 of 0 or more and b from 0 to 1", options.k1,
         options.b);
  }
}

void Bm25Index::add(std::string_view text) {
  JINA_CHECK(lengths_.size() < std::numeric_limits<uint32_t>::max());
  const auto document = static_cast<uint32_t>(lengths_.size());
  const std::vector<std::string> words = words_of(text);
  for (const std::string& word : words) {
    const auto [place, is_new] = words_.try_emplace(word, static_cast<uint32_t>(postings_.size()));
    if (is_new) postings_.emplace_back();
    std::vector<Posting>& list = postings_[place->second];
    if (list.empty() || list.back().document != document) list.push_back({document, 0});
    ++list.back().count;
  }
  lengths_.push_back(static_cast<uint32_t>(words.size()));
  total_length_ += words.size();
}

std::vector<Hit> Bm25Index::search(std::string_view query, int64_t k) const {
  std::map<uint32_t, int64_t> counts;  // of the query's words; ordered, so that sums are the same on every run
  for (const std::string& word : words_of(query)) {
    const auto found = words_.find(word);
    if (found != words_.end()) ++counts[found->second];
  }
  const auto total = static_cast<double>(lengths_.size());
  const double mean_length = static_cast<double>(total_length_) / std::max(total, 1.0);
  std::vector<float> scores(lengths_.size());
  std::vector<uint32_t> touched;
  for (const auto& [word, times] : counts) {
    const std::vector<Posting>& list = postings_[word];
    const auto holders = static_cast<double>(list.size());
    const double weight = static_cast<double>(times) * std::log(1.0 + (total - holders + 0.5) / (holders + 0.5));
    for (const Posting& posting : list) {
      const double length = lengths_[posting.document] / mean_length;
      const double damping = options_.k1 * (1.0 - options_.b + options_.b * length);
      float& score = scores[posting.document];
      if (score == 0) touched.push_back(posting.document);
      score += static_cast<float>(weight * posting.count / (posting.count + damping));
    }
  }
  std::vector<Hit> hits;
  hits.reserve(touched.size());
  for (const uint32_t document : touched) hits.push_back({document, scores[document]});
  keep_best(hits, k);
  return hits;
}

}  // namespace jina
