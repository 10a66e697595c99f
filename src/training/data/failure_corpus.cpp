#include "training/data/failure_corpus.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "text/sentences.h"
#include "text/unicode.h"

namespace jina {

namespace {

constexpr int kFewestMentions = 3;
constexpr size_t kMostNameWords = 4;
constexpr size_t kFewestWords = 6;  // of a sentence
constexpr size_t kMostWords = 40;
constexpr size_t kShortestThing = 4;
constexpr size_t kLongestThing = 14;

/// Words behind a noun group.
constexpr std::array<std::string_view, 26> kFunctionWords{
    "of",   "is",  "was",  "are", "were", "in",  "on",  "at",  "to",   "and",  "or",   "that",  "which",
    "with", "for", "from", "by",  "as",   "has", "had", "can", "will", "into", "when", "where", "but"};
/// Words that stand where nouns stand, without being one that a template can take.
constexpr std::array<std::string_view, 30> kNoThings{
    "same",   "other",  "first", "last",  "most", "least",  "following", "rest", "next",  "second",
    "former", "latter", "only",  "more",  "less", "very",   "like",      "such", "many",  "some",
    "each",   "none",   "both",  "right", "left", "little", "great",     "good", "third", "single"};
/// Capitalised wherever they stand.
constexpr std::array<std::string_view, 8> kNoNames{"I", "I'm", "I'd", "I'll", "I've", "OK", "Mr", "Mrs"};

template <size_t kSize>  // of the list
bool is_in(const std::array<std::string_view, kSize>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

struct Word {
  std::string_view text;
  size_t begin;      // in the sentence
  bool ends_clause;  // a sign that is no blank comes between it and the next word
};

bool is_word_part(char32_t c) {
  constexpr char32_t kApostrophe = 0x2019;
  return (character_flags(c) & kWord) != 0 || c == '\'' || c == '-' || c == kApostrophe;
}

std::vector<Word> find_words(std::string_view sentence) {
  std::vector<Word> words;
  bool is_inside = false;
  for (size_t position = 0; position < sentence.size();) {
    const size_t begin = position;
    const char32_t c = next_code_point(sentence, position);
    if (!is_word_part(c)) {
      if (!words.empty() && !is_whitespace(c)) words.back().ends_clause = true;
      is_inside = false;
      continue;
    }
    if (!is_inside) words.push_back({{}, begin, false});
    is_inside = true;
    words.back().text = sentence.substr(words.back().begin, position - words.back().begin);
  }
  if (!words.empty()) words.back().ends_clause = true;
  return words;
}

bool is_capitalised(std::string_view word) {
  size_t position = 0;
  const char32_t first = next_code_point(word, position);
  return word.size() > position && !lowercase(first).empty() && !is_in(kNoNames, word);
}

bool is_small(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string lower(std::string_view word) {
  std::string small;
  for (size_t position = 0; position < word.size();) {
    const char32_t c = next_code_point(word, position);
    const CharacterMapping mapping = lowercase(c);
    if (mapping.empty()) append_utf8(small, c);
    for (const char32_t part : mapping) append_utf8(small, part);
  }
  return small;
}

/// A name in a list of words: the words [first, last).
struct Mention {
  size_t first;
  size_t last;
};

std::vector<Mention> find_mentions(const std::vector<Word>& words) {
  std::vector<Mention> mentions;
  for (size_t i = 1; i < words.size();) {  // the first word is capitalised in any case
    if (!is_capitalised(words[i].text)) {
      ++i;
      continue;
    }
    size_t last = i + 1;
    while (last < words.size() && !words[last - 1].ends_clause && is_capitalised(words[last].text)) ++last;
    mentions.push_back({i, last});
    i = last;
  }
  return mentions;
}

std::string_view text_of(std::string_view sentence, const std::vector<Word>& words, const Mention& mention) {
  const Word& end = words[mention.last - 1];
  return sentence.substr(words[mention.first].begin, end.begin + end.text.size() - words[mention.first].begin);
}

/// Counts of strings, in order of first appearance.
class Counter {
 public:
  void add(std::string_view text) {
    const auto [place, is_new] = places_.emplace(text, counts_.size());
    if (is_new) {
      counts_.push_back(0);
      names_.emplace_back(text);
    }
    ++counts_[place->second];
  }
  int count(std::string_view text) const {
    const auto place = places_.find(std::string(text));
    return place == places_.end() ? 0 : counts_[place->second];
  }
  std::vector<std::string> frequent() const {
    std::vector<std::string> result;
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] >= kFewestMentions) result.push_back(names_[i]);
    }
    return result;
  }

 private:
  std::unordered_map<std::string, size_t> places_;
  std::vector<std::string> names_;
  std::vector<int> counts_;
};

class Miner {
 public:
  void count(std::string_view sentence) {
    const auto words = find_words(sentence);
    for (size_t i = 0; i < words.size(); ++i) {
      if (is_small(words[i].text)) small_words_.add(words[i].text);
      if (i + 1 < words.size()) count_thing(words, i);
    }
    for (const Mention& mention : find_mentions(words)) {
      if (mention.last - mention.first <= kMostNameWords) names_.add(text_of(sentence, words, mention));
    }
  }

  /// What was counted; called once, before collect().
  void finish(FailureCorpus& corpus) {
    corpus.things = things_.frequent();
    for (std::string& name : names_.frequent()) {
      if (is_name(name)) corpus.names.push_back(std::move(name));
    }
    for (const std::string& name : corpus.names) known_.emplace(name, 0);
  }

  void collect(std::string_view sentence, FailureCorpus& corpus) const {
    const auto words = find_words(sentence);
    if (words.size() < kFewestWords || words.size() > kMostWords) return;
    const auto mentions = find_mentions(words);
    if (mentions.size() != 1) return;
    const std::string_view name = text_of(sentence, words, mentions[0]);
    if (!known_.contains(std::string(name)) || sentence.find(name) != words[mentions[0].first].begin) return;
    const size_t begin = words[mentions[0].first].begin;
    corpus.sentences.push_back({std::string(sentence), begin, begin + name.size()});
  }

 private:
  void count_thing(const std::vector<Word>& words, size_t i) {
    const std::string_view article = words[i].text;
    const Word& thing = words[i + 1];
    if ((article != "the" && article != "a" && article != "an") || words[i].ends_clause) return;
    if (thing.text.ends_with('s')) return;  // the templates want singulars
    if (thing.text.size() < kShortestThing || thing.text.size() > kLongestThing || !is_small(thing.text)) return;
    const bool is_end = thing.ends_clause || (i + 2 < words.size() && is_in(kFunctionWords, words[i + 2].text));
    if (is_end && !is_in(kNoThings, thing.text)) things_.add(thing.text);
  }

  bool is_name(const std::string& name) const {
    if (name.ends_with("'s") || name.ends_with("\u2019s")) return false;
    for (const Word& word : find_words(name)) {
      if (small_words_.count(lower(word.text)) > names_.count(name)) return false;
    }
    return true;
  }

  Counter small_words_;
  Counter names_;
  Counter things_;
  std::unordered_map<std::string, int> known_;
};

/// Calls body(sentence) for each, blanks at its ends left out.
template <typename Body>  // any callable
void for_each_sentence(std::span<const std::string_view> texts, Body&& body) {
  for (const std::string_view text : texts) {
    for (const auto [begin, end] : split_sentences(text)) {
      const std::string_view sentence = text.substr(begin, end - begin);
      const size_t first = sentence.find_first_not_of(" \n\t\r");
      if (first == std::string_view::npos) continue;
      body(sentence.substr(first, sentence.find_last_not_of(" \n\t\r") + 1 - first));
    }
  }
}

}  // namespace

FailureCorpus mine_failure_corpus(std::span<const std::string_view> texts) {
  FailureCorpus corpus;
  Miner miner;
  for_each_sentence(texts, [&](std::string_view sentence) { miner.count(sentence); });
  miner.finish(corpus);
  for_each_sentence(texts, [&](std::string_view sentence) { miner.collect(sentence, corpus); });
  return corpus;
}

}  // namespace jina
