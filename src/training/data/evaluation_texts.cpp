#include "training/data/evaluation_texts.h"

#include <algorithm>

#include "base/csv.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "training/data/normalized_words.h"
#include "training/data/rows.h"

namespace jina {

namespace {

// The rules by which the training text of this project was held apart from its evaluation sets.
constexpr size_t kEqualWords = 3;
constexpr size_t kShortWords = 60;  // words of a text that counts as short
constexpr size_t kShortRun = 8;
constexpr size_t kLongRun = 13;

void add_json(const Json& value, EvaluationTexts& texts) {
  if (value.is_string()) {
    add_evaluation_text(value.as_string(), texts);
  } else if (value.is_array()) {
    for (const Json& item : value.as_array()) add_json(item, texts);
  } else if (value.is_object()) {
    for (const auto [key, member] : value.as_object()) add_json(Json(value.document(), member, key), texts);
  }
}

void add_json_text(const std::string& text, const std::string& where, EvaluationTexts& texts) {
  const std::string repaired = find_invalid_utf8(text) ? repair_utf8(text) : std::string();
  const auto document = JsonDocument::parse(repaired.empty() ? text : repaired, where, ErrorKind::kInvalidInput);
  add_json(document.root(), texts);
}

void read_json(InputFile& file, EvaluationTexts& texts) {
  std::string all;
  for (std::string line; read_line(file.stream(), line, kMostRecordBytes); all += '\n') all += line;
  add_json_text(all, file.path(), texts);
}

void read_json_lines(InputFile& file, EvaluationTexts& texts) {
  int64_t number = 0;
  for (std::string line; read_line(file.stream(), line, kMostRecordBytes);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    add_json_text(line, fmt::format("{}:{}", file.path(), number), texts);
  }
}

void read_csv(InputFile& file, EvaluationTexts& texts) {
  CsvParser parser(file.stream(), file.path(), ',', kMostRecordBytes);
  for (std::vector<std::string> fields; parser.next(fields);) {
    for (const std::string& field : fields) add_evaluation_text(field, texts);
  }
}

/// Quotes mean nothing between tabs here: files of evaluation sets have single ones.
void read_tabbed(InputFile& file, EvaluationTexts& texts) {
  for (std::string line; read_line(file.stream(), line, kMostRecordBytes);) {
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      add_evaluation_text(std::string_view(line).substr(begin, end - begin), texts);
      begin = end + 1;
    }
  }
}

void read_file_texts(const std::string& path, EvaluationTexts& texts) {
  InputFile file(path);
  if (path.ends_with(".json") || path.ends_with(".json.gz")) {
    read_json(file, texts);
    return;
  }
  switch (file_format(path)) {
    case FileFormat::kJsonl: read_json_lines(file, texts); return;
    case FileFormat::kCsv: read_csv(file, texts); return;
    case FileFormat::kTsv:
    case FileFormat::kLines: read_tabbed(file, texts); return;
  }
}

bool has_run(const std::vector<std::string_view>& words, size_t length, const HashSet& runs) {
  if (runs.size() == 0) return false;
  const auto hashes = hash_word_runs(words, length);
  return std::any_of(hashes.begin(), hashes.end(), [&](uint64_t hash) { return runs.contains(hash); });
}

}  // namespace

void add_evaluation_text(std::string_view text, EvaluationTexts& texts) {
  const std::string normalized = normalize_words(find_invalid_utf8(text) ? repair_utf8(text) : std::string(text));
  const auto words = split_words(normalized);
  if (words.size() < kEqualWords) return;
  ++texts.count;
  texts.texts.insert(hash_text(normalized));
  const bool is_short = words.size() <= kShortWords;
  for (const uint64_t run : hash_word_runs(words, is_short ? kShortRun : kLongRun)) {
    (is_short ? texts.short_runs : texts.long_runs).insert(run);
  }
}

EvaluationTexts read_evaluation_texts(const std::vector<std::string>& files) {
  EvaluationTexts texts;
  for (const std::string& path : files) {
    const int64_t before = texts.count;
    read_file_texts(path, texts);
    if (texts.count == before) {
      fail(ErrorKind::kInvalidInput, path, "expected evaluation texts of three words or more, found none");
    }
  }
  return texts;
}

Overlap find_overlap(std::string_view normalized, const EvaluationTexts& texts) {
  if (texts.count == 0) return Overlap::kNone;
  if (texts.texts.contains(hash_text(normalized))) return Overlap::kEqual;
  const auto words = split_words(normalized);
  if (has_run(words, kShortRun, texts.short_runs)) return Overlap::kShortText;
  if (has_run(words, kLongRun, texts.long_runs)) return Overlap::kLongText;
  return Overlap::kNone;
}

}  // namespace jina
