#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/flat.h"

namespace jina {

/// The words of a text: runs of Unicode word characters, lower-cased; each Chinese character is a word. `text` must be
/// valid UTF-8.
std::vector<std::string> words_of(std::string_view text);

struct Bm25Options {
  double k1 = 0.9;  ///< how soon further occurrences of a word stop counting (Anserini's default)
  double b = 0.4;   ///< how much long documents are held back
};

/// Search by words: score = sum over the query's words (each occurrence counts) of
/// idf * tf / (tf + k1 (1 - b + b length / mean length)), idf = ln(1 + (N - n + 0.5) / (n + 0.5)): BM25 as Lucene 8
/// and later compute it (Kamphuis et al. 2020, "Which BM25 do you mean?"), with exact document lengths.
///
///     Bm25Index index;
///     for (const std::string& text : texts) index.add(text);
///     std::vector<Hit> hits = index.search("electric cars", 10);
class Bm25Index {
 public:
  explicit Bm25Index(const Bm25Options& options = {});

  /// Adds a document; its row is the number of those before it.
  void add(std::string_view text);
  int64_t documents() const { return static_cast<int64_t>(lengths_.size()); }
  /// The best `k` documents with a score above 0, best first, equal scores in row order. May be called from several
  /// threads at once while nothing is added.
  std::vector<Hit> search(std::string_view query, int64_t k) const;

 private:
  struct Posting {
    uint32_t document;
    uint32_t count;
  };

  Bm25Options options_;
  std::unordered_map<std::string, uint32_t> words_;  // number of each word
  std::vector<std::vector<Posting>> postings_;       // by word, documents ascending
  std::vector<uint32_t> lengths_;                    // words of each document
  uint64_t total_length_ = 0;
};

}  // namespace jina
