#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "training/data/text_table.h"
#include "training/recipe.h"

namespace jina {

/// The rows of one data set. Texts are numbers of `texts`; members whose column the data set has not are empty.
struct DataRows {
  std::string name;
  TextTable texts;
  std::vector<int32_t> queries;           // (rows) of the column query or text
  std::vector<int32_t> positives;         // (rows)
  std::vector<int64_t> negative_offsets;  // (rows + 1); row r owns negatives [offsets[r], offsets[r + 1])
  std::vector<int32_t> negatives;
  std::vector<float> scores;             // (rows) finite
  std::vector<int32_t> labels;           // (rows) place in label_names
  std::vector<std::string> label_names;  ///< in order of first appearance

  int64_t size() const { return static_cast<int64_t>(queries.size()); }
};

/// What there is to say of how the rows of a data set came about.
struct RowNotes {
  std::map<std::string, int64_t> removed{};  ///< rows that a filter took, by its name
  std::vector<std::string> lines{};          ///< for people: examples of them, what rows were made from

  bool operator==(const RowNotes&) const = default;
};

/// How a file is cut into records.
enum class FileFormat : uint8_t { kLines, kJsonl, kCsv, kTsv };

/// By the ending in front of an optional ".gz": .jsonl, .ndjson, .csv, .tsv; all others are lines of text.
FileFormat file_format(const std::string& path);

/// Bytes of one record at most.
constexpr size_t kMostRecordBytes = size_t{16} << 20;

/// Reads all files of a data set in their order, at most `most_rows` rows, by its columns:
/// - text or query (one of them) and positive: a text, not blank;
/// - negatives: a text or a list of texts, and several fields with commas between them; a row may lack any of them, and
///   blank ones and ones that equal the positive are left out;
/// - score: a finite number; label: a text or a whole number.
/// CSV and TSV (RFC 4180) have a header line, unless all columns are given as numbers, counted from 1. Files that are
/// neither JSON lines nor CSV nor TSV hold one text a line, for the column text. Bytes that are not UTF-8 become
/// U+FFFD. Errors: kNotFound, kIo; kInvalidInput naming "file:line", what was found and what was expected; a data set
/// without rows.
DataRows read_data_rows(const DataRecipe& recipe);

/// The rows whose numbers are in `kept`, in that order; texts and labels keep their numbers.
DataRows select_rows(DataRows rows, const std::vector<int64_t>& kept);

}  // namespace jina
