#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace jina::cli {

/// Where the fields of a pair stand in a row of JSON.
struct PairFields {
  std::string query = "query";
  std::string positive = "positive";  ///< a text or a list of texts
};

/// Pairs of a query and a text that answers it, each distinct text once.
struct PairSet {
  struct Pair {
    int64_t query;
    int64_t document;
  };
  std::vector<Pair> pairs;  ///< in file order; a row with a list gives several
  std::vector<std::string> queries;
  std::vector<std::string> documents;           ///< the positives, then those of the corpus
  std::vector<std::vector<int64_t>> positives;  ///< by query: its documents, over the whole file
  int64_t repaired = 0;                         ///< rows with broken UTF-8

  void add_pair(const std::string& query, const std::string& positive);
  /// → its number
  int64_t add_document(const std::string& text);

 private:
  std::unordered_map<std::string, int64_t> query_numbers_;
  std::unordered_map<std::string, int64_t> document_numbers_;
};

/// Reads JSON lines ("-": standard input). Errors: kNotFound; kInvalidInput naming file, line, field, and what was
/// expected; also when there is no pair at all.
PairSet read_pairs(const std::string& path, const PairFields& fields);
/// Adds the texts of a file or directory as documents: lines, or field "text" of JSON lines. Errors as read_pairs.
void add_corpus(const std::string& path, PairSet& pairs);

}  // namespace jina::cli
