#include "cli/pair_rows.h"

#include <algorithm>

#include "base/json.h"
#include "cli/command.h"
#include "cli/input_rows.h"

namespace jina::cli {

namespace {

std::string text_of(const Json& value, const std::string& where) {
  std::string text(value.as_string());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    fail(ErrorKind::kInvalidInput, where, "expected a text with words, found an empty one");
  }
  return text;
}

void add_row(const InputRow& row, const PairFields& fields, PairSet& pairs) {
  const JsonDocument document = JsonDocument::parse(row.input.text, row.where, ErrorKind::kInvalidInput);
  const Json root = document.root();
  if (!root.is_object()) root.reject("an object");
  const std::string query = text_of(root.at(fields.query), fmt::format("{}, '{}'", row.where, fields.query));
  const Json positive = root.at(fields.positive);
  const std::string where = fmt::format("{}, '{}'", row.where, fields.positive);
  if (!positive.is_array()) {
    pairs.add_pair(query, text_of(positive, where));
    return;
  }
  const std::vector<Json> several = positive.as_array();
  if (several.empty()) positive.reject("a text or a list with at least one");
  for (const Json& one : several) pairs.add_pair(query, text_of(one, where));
}

}  // namespace

int64_t PairSet::add_document(const std::string& text) {
  const auto [place, is_new] = document_numbers_.try_emplace(text, static_cast<int64_t>(documents.size()));
  if (is_new) documents.push_back(text);
  return place->second;
}

void PairSet::add_pair(const std::string& query, const std::string& positive) {
  const auto [place, is_new] = query_numbers_.try_emplace(query, static_cast<int64_t>(queries.size()));
  if (is_new) {
    queries.push_back(query);
    positives.emplace_back();
  }
  const int64_t document = add_document(positive);
  std::vector<int64_t>& known = positives[static_cast<size_t>(place->second)];
  if (std::ranges::find(known, document) != known.end()) return;  // the same pair again
  known.push_back(document);
  pairs.push_back({place->second, document});
}

PairSet read_pairs(const std::string& path, const PairFields& fields) {
  RowSettings settings;
  settings.format = RowFormat::kLines;
  const auto reader = read_rows(path, settings);
  PairSet pairs;
  for (InputRow row; reader->next(row);) {
    check_interrupted();
    if (row.error) throw *row.error;
    pairs.repaired += row.is_repaired ? 1 : 0;
    if (row.input.text.find_first_not_of(" \t") != std::string::npos) add_row(row, fields, pairs);
  }
  if (pairs.pairs.empty()) {
    fail(ErrorKind::kInvalidInput, path, "expected lines with a '{}' and a '{}', found none", fields.query,
         fields.positive);
  }
  return pairs;
}

void add_corpus(const std::string& path, PairSet& pairs) {
  const auto reader = read_rows(path, RowSettings{});
  for (InputRow row; reader->next(row);) {
    check_interrupted();
    if (row.error) throw *row.error;
    pairs.repaired += row.is_repaired ? 1 : 0;
    if (row.input.text.find_first_not_of(" \t\r\n") != std::string::npos) pairs.add_document(row.input.text);
  }
}

}  // namespace jina::cli
