#include "training/data/rows.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "base/csv.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/utf8.h"

namespace jina {

namespace {

constexpr const char* kBlanks = " \t\r\n\v\f";

/// The fields of a data set's columns.
struct Fields {
  std::string query;
  std::optional<std::string> positive;
  std::vector<std::string> negatives;
  std::optional<std::string> score;
  std::optional<std::string> label;

  std::vector<std::string> all() const {
    std::vector<std::string> names{query};
    for (const auto& name : {positive, score, label}) {
      if (name) names.push_back(*name);
    }
    names.insert(names.end(), negatives.begin(), negatives.end());
    return names;
  }
};

/// One row as the file has it.
struct RawRow {
  std::string where;  // "file:line"
  std::string query;
  std::string positive;
  std::vector<std::string> negatives;
  double score = 0;
  std::string label;
};

std::vector<std::string> split_names(const std::string& names) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    const std::string part = names.substr(begin, end - begin);
    const size_t first = part.find_first_not_of(' ');
    if (first != std::string::npos) parts.push_back(part.substr(first, part.find_last_not_of(' ') + 1 - first));
    begin = end + 1;
  }
  return parts;
}

Fields find_fields(const DataRecipe& recipe) {
  const auto find = [&](Column column) -> std::optional<std::string> {
    const auto place = recipe.columns.find(column);
    if (place == recipe.columns.end()) return std::nullopt;
    return place->second;
  };
  const auto text = find(Column::kText);
  const auto query = find(Column::kQuery);
  if (text.has_value() == query.has_value()) {
    fail(ErrorKind::kInvalidInput, recipe.name, "expected one of the columns text and query, found {}",
         text ? "both" : "neither");
  }
  Fields fields{text ? *text : *query, find(Column::kPositive), {}, find(Column::kScore), find(Column::kLabel)};
  if (const auto negatives = find(Column::kNegatives)) fields.negatives = split_names(*negatives);
  if (text && (fields.positive || !fields.negatives.empty())) {
    fail(ErrorKind::kInvalidInput, recipe.name, "the columns positive and negatives go with query, found text");
  }
  return fields;
}

std::string to_utf8(std::string text) { return find_invalid_utf8(text) ? repair_utf8(text) : std::move(text); }

double parse_score(const std::string& text, const std::string& field, const std::string& where) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || stop != end) {
    fail(ErrorKind::kInvalidInput, where, "'{}': expected a number, found '{}'", field, text);
  }
  return value;
}

void read_json_negatives(const Json& value, RawRow& row) {
  if (!value.is_array()) {
    row.negatives.emplace_back(value.as_string());
    return;
  }
  for (const Json& item : value.as_array()) row.negatives.emplace_back(item.as_string());
}

void read_json_row(std::string_view line, const Fields& fields, RawRow& row) {
  const auto document = JsonDocument::parse(line, row.where, ErrorKind::kInvalidInput);
  const Json root = document.root();
  if (!root.is_object()) root.reject("an object");
  row.query = root.at(fields.query).as_string();
  if (fields.positive) row.positive = root.at(*fields.positive).as_string();
  for (const std::string& field : fields.negatives) {
    if (const auto value = root.find(field)) read_json_negatives(*value, row);
  }
  if (fields.score) row.score = root.at(*fields.score).as_double();
  if (!fields.label) return;
  const Json label = root.at(*fields.label);
  row.label = label.is_string() ? std::string(label.as_string()) : std::to_string(label.as_int());
}

/// Adds the rows of one file to a data set.
class FileReader {
 public:
  FileReader(std::string path, const Fields& fields, const DataRecipe& recipe)
      : path_(std::move(path)), fields_(fields), file_(path_), recipe_(recipe) {}

  /// False at the end.
  bool next(RawRow& row) {
    row = RawRow();
    switch (file_format(path_)) {
      case FileFormat::kLines: return next_line(row);
      case FileFormat::kJsonl: return next_json(row);
      case FileFormat::kCsv: return next_record(row, ',');
      case FileFormat::kTsv: return next_record(row, '\t');
    }
    return false;
  }

 private:
  bool read_filled_line(std::string& line) {
    do {
      if (!read_line(file_.stream(), line, kMostRecordBytes)) return false;
      ++number_;
      if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
      check_length(line.size(), number_);
    } while (line.find_first_not_of(kBlanks) == std::string::npos);
    line = to_utf8(std::move(line));
    return true;
  }

  bool next_line(RawRow& row) {
    if (!recipe_.columns.contains(Column::kText) || fields_.score || fields_.label) {
      fail(ErrorKind::kInvalidInput, path_,
           "a file of lines gives the column text only; expected .jsonl, .csv or .tsv (or .gz of them)");
    }
    if (!read_filled_line(row.query)) return false;
    if (row.query.ends_with('\r')) row.query.pop_back();
    row.where = fmt::format("{}:{}", path_, number_);
    return true;
  }

  bool next_json(RawRow& row) {
    if (!read_filled_line(line_)) return false;
    row.where = fmt::format("{}:{}", path_, number_);
    read_json_row(line_, fields_, row);
    return true;
  }

  void check_length(size_t bytes, int64_t line) const {
    if (bytes <= kMostRecordBytes) return;
    fail(ErrorKind::kInvalidInput, fmt::format("{}:{}", path_, line), "more than {} MiB in one row",
         kMostRecordBytes >> 20);
  }

  static bool is_number(const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  }

  /// Finds the place of each field, by the header line or by number.
  void open_records(char separator) {
    csv_.emplace(file_.stream(), path_, separator, kMostRecordBytes);
    const auto names = fields_.all();
    if (std::all_of(names.begin(), names.end(), is_number)) {
      for (const std::string& name : names) {
        const auto number = static_cast<size_t>(std::strtoull(name.c_str(), nullptr, 10));
        if (number == 0) fail(ErrorKind::kInvalidInput, path_, "columns are counted from 1, found 0");
        places_[name] = number - 1;
      }
      return;
    }
    std::vector<std::string> header;
    if (!csv_->next(header)) return;
    width_ = header.size();
    for (const std::string& name : names) {
      const auto place = std::find(header.begin(), header.end(), name);
      if (place == header.end()) {
        fail(ErrorKind::kInvalidInput, fmt::format("{}:{}", path_, csv_->line()),
             "no column '{}' in the header, which has: {}", name, fmt::join(header, ", "));
      }
      places_[name] = static_cast<size_t>(place - header.begin());
    }
  }

  bool next_record(RawRow& row, char separator) {
    if (!csv_) open_records(separator);
    if (!csv_->next(record_)) return false;
    row.where = fmt::format("{}:{}", path_, csv_->line());
    check_length(csv_->bytes(), csv_->line());
    if (width_ != 0 && record_.size() != width_) {
      fail(ErrorKind::kInvalidInput, row.where, "expected {} fields as in the header, found {}", width_,
           record_.size());
    }
    const auto take = [&](const std::string& name) {
      const size_t place = places_.at(name);
      if (place >= record_.size()) {
        fail(ErrorKind::kInvalidInput, row.where, "expected a field {}, found {} fields", name, record_.size());
      }
      return to_utf8(record_[place]);
    };
    row.query = take(fields_.query);
    if (fields_.positive) row.positive = take(*fields_.positive);
    for (const std::string& name : fields_.negatives) row.negatives.push_back(take(name));
    if (fields_.score) row.score = parse_score(take(*fields_.score), *fields_.score, row.where);
    if (fields_.label) row.label = take(*fields_.label);
    return true;
  }

  std::string path_;
  const Fields& fields_;
  InputFile file_;
  const DataRecipe& recipe_;
  std::string line_;
  int64_t number_ = 0;
  std::optional<CsvParser> csv_;
  std::vector<std::string> record_;
  std::unordered_map<std::string, size_t> places_;
  size_t width_ = 0;
};

/// Checks rows and appends them to the data set.
class RowCollector {
 public:
  RowCollector(DataRows& rows, const Fields& fields) : rows_(rows), fields_(fields) {
    if (!fields.negatives.empty()) rows_.negative_offsets.push_back(0);
  }

  void add(const RawRow& row) {
    rows_.queries.push_back(add_text(row.query, fields_.query, row.where));
    if (fields_.positive) rows_.positives.push_back(add_text(row.positive, *fields_.positive, row.where));
    if (!fields_.negatives.empty()) {
      for (const std::string& text : row.negatives) {
        const bool is_blank = text.find_first_not_of(kBlanks) == std::string::npos;
        if (!is_blank && text != row.positive) rows_.negatives.push_back(rows_.texts.add(text));
      }
      rows_.negative_offsets.push_back(static_cast<int64_t>(rows_.negatives.size()));
    }
    if (fields_.score) add_score(row);
    if (fields_.label) add_label(row);
  }

 private:
  int32_t add_text(const std::string& text, const std::string& field, const std::string& where) {
    if (text.find_first_not_of(kBlanks) == std::string::npos) {
      fail(ErrorKind::kInvalidInput, where, "'{}': expected a text, found an empty one", field);
    }
    return rows_.texts.add(text);
  }

  void add_score(const RawRow& row) {
    const auto score = static_cast<float>(row.score);
    if (!std::isfinite(score)) {
      fail(ErrorKind::kInvalidInput, row.where, "'{}': expected a finite number, found {}", *fields_.score, row.score);
    }
    rows_.scores.push_back(score);
  }

  void add_label(const RawRow& row) {
    if (row.label.empty())
      fail(ErrorKind::kInvalidInput, row.where, "'{}': expected a label, found nothing", *fields_.label);
    const auto [place, is_new] = label_ids_.emplace(row.label, static_cast<int32_t>(rows_.label_names.size()));
    if (is_new) rows_.label_names.push_back(row.label);
    rows_.labels.push_back(place->second);
  }

  DataRows& rows_;
  const Fields& fields_;
  std::unordered_map<std::string, int32_t> label_ids_;
};

template <typename Value>  // the type of a column
void select(std::vector<Value>& column, const std::vector<int64_t>& kept) {
  if (column.empty()) return;
  std::vector<Value> selected;
  selected.reserve(kept.size());
  for (const int64_t row : kept) selected.push_back(column[static_cast<size_t>(row)]);
  column = std::move(selected);
}

}  // namespace

FileFormat file_format(const std::string& path) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) return FileFormat::kJsonl;
  if (name.ends_with(".csv")) return FileFormat::kCsv;
  if (name.ends_with(".tsv")) return FileFormat::kTsv;
  return FileFormat::kLines;
}

DataRows read_data_rows(const DataRecipe& recipe) {
  const Fields fields = find_fields(recipe);
  DataRows rows;
  rows.name = recipe.name;
  RowCollector collector(rows, fields);
  for (const std::string& path : recipe.files) {
    FileReader reader(path, fields, recipe);
    const int64_t before = rows.size();
    for (RawRow row; recipe.most_rows == 0 || rows.size() < recipe.most_rows;) {
      if (!reader.next(row)) {
        if (rows.size() == before) fail(ErrorKind::kInvalidInput, path, "expected rows, found none");
        break;
      }
      collector.add(row);
    }
  }
  if (rows.size() == 0) fail(ErrorKind::kInvalidInput, recipe.name, "expected files with rows, found none");
  return rows;
}

DataRows select_rows(DataRows rows, const std::vector<int64_t>& kept) {
  if (!rows.negative_offsets.empty()) {
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> negatives;
    for (const int64_t row : kept) {
      const auto r = static_cast<size_t>(row);
      const auto begin = rows.negatives.begin();
      negatives.insert(negatives.end(), begin + rows.negative_offsets[r], begin + rows.negative_offsets[r + 1]);
      offsets.push_back(static_cast<int64_t>(negatives.size()));
    }
    rows.negative_offsets = std::move(offsets);
    rows.negatives = std::move(negatives);
  }
  select(rows.queries, kept);
  select(rows.positives, kept);
  select(rows.scores, kept);
  select(rows.labels, kept);
  return rows;
}

}  // namespace jina
