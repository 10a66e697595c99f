#include "training/data/failure_cases.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/rng.h"
#include "training/data/failure_frames.h"
#include "training/data/permutation.h"

namespace jina {

namespace {

constexpr size_t kFewestWords = 16;  // things or names, so that drawing different ones ends soon
constexpr double kLowerRating = 0.3;

std::string fill(std::string_view frame, std::string_view a, std::string_view b) {
  std::string text;
  for (size_t i = 0; i < frame.size();) {
    const std::string_view rest = frame.substr(i);
    if (rest.starts_with("{A}") || rest.starts_with("{B}")) {
      text += rest[1] == 'A' ? a : b;
      i += 3;
    } else {
      text += frame[i++];
    }
  }
  return text;
}

/// Every fourth is held out.
bool is_of_split(size_t number, CaseSplit split) { return (number % 4 == 3) == (split == CaseSplit::kHeldOut); }

/// The numbers below `count` that belong to a split.
std::vector<size_t> numbers_of(size_t count, CaseSplit split) {
  std::vector<size_t> numbers;
  for (size_t i = 0; i < count; ++i) {
    if (is_of_split(i, split)) numbers.push_back(i);
  }
  return numbers;
}

std::vector<size_t> sentences_of(const FailureCorpus& corpus, CaseSplit split) {
  std::vector<size_t> numbers;
  for (size_t i = 0; i < corpus.sentences.size(); ++i) {
    const NamedSentence& sentence = corpus.sentences[i];
    const std::string_view text = sentence.text;
    const uint64_t hash = hash_text(text.substr(0, sentence.begin), hash_text(text.substr(sentence.end)));
    if (is_of_split(hash, split)) numbers.push_back(i);
  }
  return numbers;
}

/// The random choices of one case.
class Choices {
 public:
  Choices(const CaseRequest& request, std::string_view kind, int64_t number)
      : rng_(CounterRng(request.seed, kind).bits(static_cast<uint64_t>(number)), static_cast<uint64_t>(request.split)) {
  }

  uint64_t key() { return rng_.bits(next_++); }
  size_t below(size_t most) { return rng_.bits(next_++) % most; }

  template <typename Value>  // of the list
  const Value& pick(const std::vector<Value>& list) {
    return list[below(list.size())];
  }
  /// `count` words, all different and none of them among `others`.
  std::vector<std::string> pick_words(const std::vector<std::string>& words, size_t count,
                                      std::vector<std::string> others = {}) {
    std::vector<std::string> picked;
    while (picked.size() < count) {
      const std::string& word = pick(words);
      if (std::find(others.begin(), others.end(), word) != others.end()) continue;
      others.push_back(word);
      picked.push_back(word);
    }
    return picked;
  }
  /// The numbers below `count` in a random order.
  std::vector<size_t> shuffle(size_t count) {
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; ++i) order[i] = i;
    for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
    return order;
  }

 private:
  CounterRng rng_;
  uint64_t next_ = 0;
};

void check_words(const std::vector<std::string>& words, std::string_view what) {
  if (words.size() >= kFewestWords) return;
  fail(ErrorKind::kInvalidInput, "failure cases", "expected a corpus with {} different {}, found {}", kFewestWords,
       what, words.size());
}

FailureCase make_lookalike(const FailureCorpus& corpus, size_t frame, Choices choices) {
  const auto& [statement, paraphrase] = kStatementFrames[frame];
  const auto words = choices.pick_words(corpus.things, 2);
  FailureCase result{static_cast<int32_t>(frame),
                     fill(statement, words[0], words[1]),
                     fill(paraphrase, words[0], words[1]),
                     {fill(statement, words[1], words[0])}};
  const auto others = choices.pick_words(corpus.things, 2 * (kFailureNegatives - 1), words);
  for (size_t i = 0; i < kFailureNegatives - 1; ++i) {  // the first thing replaced, the second, both, and again
    const std::string& a = i % 3 == 1 ? words[0] : others[2 * i];
    const std::string& b = i % 3 == 0 ? words[1] : others[2 * i + 1];
    result.negatives.push_back(fill(statement, a, b));
  }
  return result;
}

/// `no_answers`: numbers of the statements to take.
FailureCase make_polar(const FailureCorpus& corpus, size_t frame, const std::vector<size_t>& no_answers,
                       Choices choices) {
  const auto& [question, yes, no] = kPolarFrames[frame];
  const auto words = choices.pick_words(corpus.things, 2);
  const auto others = choices.pick_words(corpus.things, 2, words);
  FailureCase result{static_cast<int32_t>(frame), fill(question, words[0], words[1]), {}, {}};
  result.positive = fill(choices.below(2) == 0 ? yes : no, words[0], words[1]);
  const auto order = choices.shuffle(no_answers.size());
  for (size_t i = 0; i < kFailureNegatives - 2; ++i) {
    result.negatives.push_back(fill(kNoAnswers[no_answers[order[i]]], words[0], words[1]));
  }
  result.negatives.push_back(fill(yes, others[0], others[1]));
  result.negatives.push_back(fill(no, others[0], others[1]));
  return result;
}

/// Makes `request.count` cases of frames of the split.
template <typename Make>  // (frame, choices) → FailureCase
std::vector<FailureCase> make_cases(const CaseRequest& request, std::string_view kind, size_t frames, Make&& make) {
  const auto numbers = numbers_of(frames, request.split);
  std::vector<FailureCase> cases;
  for (int64_t i = 0; i < request.count; ++i) {
    Choices choices(request, kind, i);
    const size_t frame = choices.pick(numbers);
    cases.push_back(make(frame, choices));
  }
  return cases;
}

/// Answers of one query, best first.
struct RatedAnswers {
  int32_t query;
  std::vector<size_t> rows;
};

std::vector<RatedAnswers> group_answers(const DataRows& rated) {
  std::vector<RatedAnswers> groups;
  std::unordered_map<int32_t, size_t> places;
  for (size_t row = 0; row < rated.queries.size(); ++row) {
    const auto [place, is_new] = places.emplace(rated.queries[row], groups.size());
    if (is_new) groups.push_back({rated.queries[row], {}});
    groups[place->second].rows.push_back(row);
  }
  for (RatedAnswers& group : groups) {
    std::stable_sort(group.rows.begin(), group.rows.end(),
                     [&](size_t a, size_t b) { return rated.scores[a] > rated.scores[b]; });
  }
  return groups;
}

/// The texts of a rated case: positive first; empty when the query has no lower answer.
std::vector<int32_t> choose_answers(const DataRows& rated, const RatedAnswers& group, Choices choices) {
  std::vector<int32_t> texts{rated.positives[group.rows.front()]};
  const auto is_new = [&](int32_t text) {
    return text != group.query && std::find(texts.begin(), texts.end(), text) == texts.end();
  };
  const double best = rated.scores[group.rows.front()];
  constexpr double kSlack = 1e-6;  // ratings such as 0.9 and 0.6 are floats
  for (const size_t row : group.rows) {
    if (static_cast<int64_t>(texts.size()) > kFailureNegatives) break;
    if (rated.scores[row] <= best - kLowerRating + kSlack && is_new(rated.positives[row])) {
      texts.push_back(rated.positives[row]);
    }
  }
  if (texts.size() == 1) return {};
  std::vector<int32_t> own = texts;
  for (const size_t row : group.rows) own.push_back(rated.positives[row]);
  const Permutation order(rated.positives.size(), choices.key());
  for (uint64_t i = 0; i < order.size() && static_cast<int64_t>(texts.size()) <= kFailureNegatives; ++i) {
    const int32_t text = rated.positives[order[i]];
    if (is_new(text) && std::find(own.begin(), own.end(), text) == own.end()) texts.push_back(text);
  }
  return texts;
}

}  // namespace

std::vector<FailureCase> make_lookalike_cases(const FailureCorpus& corpus, const CaseRequest& request) {
  check_words(corpus.things, "things");
  return make_cases(request, "F1", kStatementFrames.size(),
                    [&](size_t frame, const Choices& choices) { return make_lookalike(corpus, frame, choices); });
}

std::vector<FailureCase> make_name_cases(const FailureCorpus& corpus, const CaseRequest& request) {
  check_words(corpus.names, "names");
  const auto sentences = sentences_of(corpus, request.split);
  if (sentences.empty()) {
    fail(ErrorKind::kInvalidInput, "failure cases",
         "expected a corpus with sentences that have a name, one of every four held out; found none for this split, {} "
         "in all",
         corpus.sentences.size());
  }
  return make_cases(request, "F2", kNameQueries.size(), [&](size_t frame, Choices choices) {
    const NamedSentence& sentence = corpus.sentences[choices.pick(sentences)];
    const std::string name = sentence.text.substr(sentence.begin, sentence.end - sentence.begin);
    FailureCase result{static_cast<int32_t>(frame), fill(kNameQueries[frame], name, {}), sentence.text, {}};
    for (const std::string& other : choices.pick_words(corpus.names, kFailureNegatives, {name})) {
      result.negatives.push_back(sentence.text.substr(0, sentence.begin) + other + sentence.text.substr(sentence.end));
    }
    return result;
  });
}

std::vector<FailureCase> make_polar_cases(const FailureCorpus& corpus, const CaseRequest& request) {
  check_words(corpus.things, "things");
  const auto no_answers = numbers_of(kNoAnswers.size(), request.split);
  return make_cases(request, "F3", kPolarFrames.size(), [&](size_t frame, const Choices& choices) {
    return make_polar(corpus, frame, no_answers, choices);
  });
}

std::vector<FailureCase> make_rated_cases(const DataRows& rated, uint64_t seed) {
  if (rated.positives.empty() || rated.scores.empty()) {
    fail(ErrorKind::kInvalidInput, rated.name,
         "expected the columns query, positive (the answer) and score (its rating)");
  }
  std::vector<FailureCase> cases;
  const auto groups = group_answers(rated);
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto texts = choose_answers(rated, groups[g], Choices({.seed = seed}, "F4", static_cast<int64_t>(g)));
    if (texts.empty()) continue;
    if (static_cast<int64_t>(texts.size()) <= kFailureNegatives) {
      fail(ErrorKind::kInvalidInput, rated.name, "expected {} different answers to other queries, found {}",
           kFailureNegatives, texts.size() - 1);
    }
    FailureCase result{0, std::string(rated.texts[groups[g].query]), std::string(rated.texts[texts[0]]), {}};
    for (size_t i = 1; i < texts.size(); ++i) result.negatives.emplace_back(rated.texts[texts[i]]);
    cases.push_back(std::move(result));
  }
  return cases;
}

DataRows to_data_rows(const std::vector<FailureCase>& cases, const std::string& name) {
  DataRows rows;
  rows.name = name;
  rows.negative_offsets.push_back(0);
  for (const FailureCase& one : cases) {
    rows.queries.push_back(rows.texts.add(one.query));
    rows.positives.push_back(rows.texts.add(one.positive));
    for (const std::string& negative : one.negatives) rows.negatives.push_back(rows.texts.add(negative));
    rows.negative_offsets.push_back(static_cast<int64_t>(rows.negatives.size()));
  }
  return rows;
}

}  // namespace jina
