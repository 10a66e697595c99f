#include "cli/mine_job.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/row_progress.h"
#include "search/bm25.h"

namespace jina::cli {

namespace {

/// What is known of one query while its candidates are gathered.
struct QueryState {
  std::vector<Hit> dense;
  std::vector<Hit> words;
  std::vector<float> word_scores;      // dense scores of `words`
  std::vector<float> positive_scores;  // dense scores of its positives, in their order
};

/// The work of one `jina mine`. Texts stay in memory, vectors only of the queries and of one block of documents.
class MineRun {
 public:
  MineRun(const MineJob& job, const Environment& environment);
  void run();

 private:
  bool uses_model() const { return job_.method != MineMethod::kWords; }
  bool uses_words() const { return job_.method != MineMethod::kDense; }
  /// Hits of a query that are worth keeping: its known answers may take the first places.
  int64_t depth(size_t query) const;

  void rank_by_words();
  void rank_by_vectors();
  std::vector<float> embed(const std::vector<std::string>& texts, size_t begin, size_t end,
                           const std::optional<std::string>& task);
  void score_query(size_t query, const std::vector<float>& vectors, size_t begin);
  void write_pairs();
  std::vector<Candidate> choose(size_t row, const PairSet::Pair& pair);
  std::string line(const PairSet::Pair& pair, const std::vector<Candidate>& negatives, float positive_score) const;
  float positive_score(const PairSet::Pair& pair) const;
  void report() const;

  /// Calls body(query) for all queries on all threads, hearing Ctrl-C in between.
  template <typename Body>
  void for_each_query(const Body& body) {
    constexpr size_t kAtOnce = 1024;
    for (size_t begin = 0; begin < states_.size(); begin += kAtOnce) {
      check_interrupted();
      const size_t end = std::min(begin + kAtOnce, states_.size());
      pool_.parallel_for(static_cast<int64_t>(end - begin),
                         [&](int64_t i, int /*worker*/) { body(begin + static_cast<size_t>(i)); });
    }
  }

  const MineJob& job_;
  const Environment& environment_;
  PairSet pairs_;
  std::optional<Embedder> embedder_;
  ThreadPool pool_;
  AtomicFile output_;
  std::vector<QueryState> states_;    // by query
  std::vector<float> query_vectors_;  // (queries, dimensions)
  std::vector<uint64_t> keys_;        // text_key of each document
  NegativeCounts counts_;
  int64_t truncated_ = 0;
  int64_t rows_written_ = 0;
  int64_t rows_short_ = 0;
  int64_t negatives_written_ = 0;
};

/// The input is read, and the place of the output tried, before the model is loaded.
PairSet read_all(const MineJob& job) {
  for (const std::string& corpus : job.corpus) {
    if (!std::filesystem::exists(corpus)) fail(ErrorKind::kNotFound, corpus, "expected a file or directory of texts");
  }
  PairSet pairs = read_pairs(job.input, job.fields);
  for (const std::string& corpus : job.corpus) add_corpus(corpus, pairs);
  return pairs;
}

MineRun::MineRun(const MineJob& job, const Environment& environment)
    : job_(job),
      environment_(environment),
      pairs_(read_all(job)),
      pool_(job.model.threads > 0 ? job.model.threads : available_processors()),
      output_(job.path),
      states_(pairs_.queries.size()) {
  for (const std::string& text : pairs_.documents) keys_.push_back(text_key(text));
  if (uses_model()) embedder_.emplace(open_embedder(job.model, environment));
}

int64_t MineRun::depth(size_t query) const {
  constexpr int64_t kCopies = 16;  // of a positive, in other spellings
  return job_.rules.range_max + static_cast<int64_t>(pairs_.positives[query].size()) + kCopies;
}

void MineRun::rank_by_words() {
  Bm25Index index;
  for (const std::string& text : pairs_.documents) {
    check_interrupted();
    index.add(text);
  }
  for_each_query([&](size_t query) { states_[query].words = index.search(pairs_.queries[query], depth(query)); });
}

/// Unit vectors of texts [begin, end). → (end - begin, dimensions)
std::vector<float> MineRun::embed(const std::vector<std::string>& texts, size_t begin, size_t end,
                                  const std::optional<std::string>& task) {
  std::vector<EmbedInput> inputs;
  for (size_t i = begin; i < end; ++i) {
    inputs.push_back({.text = texts[i]});
    inputs.back().task = task;
  }
  std::vector<float> vectors;
  for (const Embedding& embedding : embedder_->embed(std::move(inputs), {.truncate = true})) {
    vectors.insert(vectors.end(), embedding.values.begin(), embedding.values.end());
    truncated_ += embedding.is_truncated ? 1 : 0;
  }
  return vectors;
}

void MineRun::rank_by_vectors() {
  constexpr size_t kBatch = 256;  // so that Ctrl-C is heard
  const auto dimensions = static_cast<size_t>(embedder_->info().dimensions);
  const auto query_task = job_.query_task ? job_.query_task : embedder_->info().query_task;
  const auto positive_task = job_.positive_task ? job_.positive_task : embedder_->info().passage_task;
  const size_t total = pairs_.queries.size() + pairs_.documents.size();
  RowProgress bar(static_cast<int64_t>(total), environment_.is_error_terminal);
  for (size_t begin = 0; begin < pairs_.queries.size(); begin += kBatch) {
    check_interrupted();
    const size_t end = std::min(begin + kBatch, pairs_.queries.size());
    const std::vector<float> vectors = embed(pairs_.queries, begin, end, query_task);
    query_vectors_.insert(query_vectors_.end(), vectors.begin(), vectors.end());
    bar.add(static_cast<int64_t>(end), 0);
  }
  for (size_t query = 0; query < states_.size(); ++query) {
    states_[query].word_scores.resize(states_[query].words.size());
    states_[query].positive_scores.resize(pairs_.positives[query].size());
  }
  const auto block_rows = static_cast<size_t>(job_.block_rows);
  for (size_t block = 0; block < pairs_.documents.size(); block += block_rows) {
    const size_t block_end = std::min(block + block_rows, pairs_.documents.size());
    std::vector<float> vectors;
    vectors.reserve((block_end - block) * dimensions);
    for (size_t begin = block; begin < block_end; begin += kBatch) {
      check_interrupted();
      const size_t end = std::min(begin + kBatch, block_end);
      const std::vector<float> part = embed(pairs_.documents, begin, end, positive_task);
      vectors.insert(vectors.end(), part.begin(), part.end());
      bar.add(static_cast<int64_t>(pairs_.queries.size() + end), 0);
    }
    for_each_query([&](size_t query) { score_query(query, vectors, block); });
  }
  bar.finish();
  for (size_t query = 0; query < states_.size(); ++query) keep_best(states_[query].dense, depth(query));
}

/// Exact scores of one query against a block of documents that begins at `begin`.
void MineRun::score_query(size_t query, const std::vector<float>& vectors, size_t begin) {
  const auto dimensions = static_cast<size_t>(embedder_->info().dimensions);
  QueryState& state = states_[query];
  const std::vector<float> scores =
      score_rows(std::span(query_vectors_).subspan(query * dimensions, dimensions), vectors);
  const auto in_block = [&](int64_t document) {
    return document >= static_cast<int64_t>(begin) && document < static_cast<int64_t>(begin + scores.size());
  };
  const auto score_of = [&](int64_t document) { return scores[static_cast<size_t>(document) - begin]; };
  for (size_t i = 0; i < state.words.size(); ++i) {
    if (in_block(state.words[i].row)) state.word_scores[i] = score_of(state.words[i].row);
  }
  for (size_t i = 0; i < pairs_.positives[query].size(); ++i) {
    const int64_t document = pairs_.positives[query][i];
    if (in_block(document)) state.positive_scores[i] = score_of(document);
  }
  const int64_t most = depth(query);
  const bool is_full = static_cast<int64_t>(state.dense.size()) >= most;
  const float least = is_full ? state.dense.back().score : -std::numeric_limits<float>::infinity();
  for (Hit hit : best_rows(scores, most, least)) {
    hit.row += static_cast<int64_t>(begin);
    state.dense.push_back(hit);
  }
  keep_best(state.dense, most);
}

float MineRun::positive_score(const PairSet::Pair& pair) const {
  const auto query = static_cast<size_t>(pair.query);
  const std::vector<int64_t>& known = pairs_.positives[query];
  const auto place = std::ranges::find(known, pair.document) - known.begin();
  return uses_model() ? states_[query].positive_scores[static_cast<size_t>(place)]
                      : std::numeric_limits<float>::quiet_NaN();
}

std::vector<Candidate> MineRun::choose(size_t row, const PairSet::Pair& pair) {
  const auto query = static_cast<size_t>(pair.query);
  const QueryState& state = states_[query];
  const uint64_t query_key = text_key(pairs_.queries[query]);
  const std::vector<int64_t>& known = pairs_.positives[query];
  const auto is_known = [&](int64_t document) {
    const uint64_t key = keys_[static_cast<size_t>(document)];
    return key == query_key || std::ranges::any_of(known, [&](int64_t positive) {
             return positive == document || keys_[static_cast<size_t>(positive)] == key;
           });
  };
  std::vector<std::vector<uint64_t>> answers;
  for (const int64_t positive : known) answers.push_back(word_set(pairs_.documents[static_cast<size_t>(positive)]));
  const auto is_duplicate = [&](int64_t document) {
    if (job_.near_duplicate <= 0) return false;
    const auto words = word_set(pairs_.documents[static_cast<size_t>(document)]);
    return std::ranges::any_of(answers,
                               [&](const auto& answer) { return word_overlap(words, answer) >= job_.near_duplicate; });
  };
  const auto ranked = unite_rankings(state.dense, state.words, state.word_scores, is_known);
  return choose_negatives(ranked, positive_score(pair), job_.rules, row, is_duplicate, counts_);
}

std::string MineRun::line(const PairSet::Pair& pair, const std::vector<Candidate>& negatives,
                          float positive_score) const {
  std::string out = "{\"query\":";
  append_json_string(out, pairs_.queries[static_cast<size_t>(pair.query)]);
  out += ",\"positive\":";
  append_json_string(out, pairs_.documents[static_cast<size_t>(pair.document)]);
  out += ",\"negatives\":[";
  for (const Candidate& negative : negatives) {
    if (out.back() != '[') out += ',';
    append_json_string(out, pairs_.documents[static_cast<size_t>(negative.document)]);
  }
  out += ']';
  if (job_.has_scores) {
    out += ",\"positive_score\":";
    append_json_float(out, positive_score);
    out += ",\"negative_scores\":[";
    for (const Candidate& negative : negatives) {
      if (out.back() != '[') out += ',';
      append_json_float(out, negative.score);
    }
    out += ']';
  }
  return out + "}\n";
}

void MineRun::write_pairs() {
  for (size_t row = 0; row < pairs_.pairs.size(); ++row) {
    check_interrupted();
    const PairSet::Pair& pair = pairs_.pairs[row];
    const std::vector<Candidate> negatives = choose(row, pair);
    const bool is_full = static_cast<int64_t>(negatives.size()) == job_.rules.count;
    rows_short_ += is_full ? 0 : 1;
    if (!is_full && job_.only_full) continue;
    output_.write(line(pair, negatives, positive_score(pair)));
    ++rows_written_;
    negatives_written_ += static_cast<int64_t>(negatives.size());
  }
}

void MineRun::report() const {
  std::fprintf(stderr, "%s",
               fmt::format("{} pairs of {} queries, {} documents: {} rows with {} negatives written\n"
                           "of {} candidates, {} outside the ranks, {} too close to the positive, {} below the least "
                           "score, {} near duplicates of a positive\n",
                           pairs_.pairs.size(), pairs_.queries.size(), pairs_.documents.size(), rows_written_,
                           negatives_written_, counts_.candidates, counts_.out_of_range, counts_.too_close,
                           counts_.too_far, counts_.duplicates)
                   .c_str());
  if (rows_short_ > 0) {
    warn(fmt::format("{} of {} rows got fewer than {} negatives{}", rows_short_, pairs_.pairs.size(), job_.rules.count,
                     job_.only_full ? " and were left out" : ""));
  }
  if (truncated_ > 0) {
    warn(fmt::format("{} texts are longer than the {} tokens that the model takes; their beginning was compared",
                     truncated_, embedder_->info().max_tokens));
  }
  if (pairs_.repaired > 0) {
    warn(fmt::format("{} rows held bytes that are not UTF-8; each broken part was read as U+FFFD", pairs_.repaired));
  }
}

void MineRun::run() {
  if (uses_words()) rank_by_words();
  if (uses_model()) rank_by_vectors();
  write_pairs();
  output_.commit();
  report();
}

}  // namespace

void run_mine(const MineJob& job, const Environment& environment) { MineRun(job, environment).run(); }

}  // namespace jina::cli
