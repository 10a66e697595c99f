#include "cli/input_rows.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/csv.h"
#include "base/file.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/text_files.h"

namespace jina::cli {

namespace {

/// Bytes of one text or line: far above what any model takes, far below what hurts.
constexpr size_t kMostBytes = size_t{16} << 20;

/// False, noted on the row, when it has too many bytes.
bool check_length(InputRow& row, size_t bytes) {
  if (bytes <= kMostBytes) return true;
  row.error.emplace(ErrorKind::kInvalidInput,
                    fmt::format("more than {} MiB in one row: cut the text into several", kMostBytes >> 20), row.where);
  return false;
}

/// Takes over a text, repairing broken UTF-8.
void set_text(InputRow& row, std::string text) {
  if (!check_length(row, text.size())) return;
  row.is_repaired = find_invalid_utf8(text).has_value();
  row.input.text = row.is_repaired ? repair_utf8(text) : std::move(text);
}

InputRow new_row(int64_t index, std::string where, const RowSettings& settings) {
  InputRow row;
  row.index = index;
  row.where = std::move(where);
  row.input.task = settings.task;
  row.input.use_prompt = settings.use_prompt;
  return row;
}

std::string as_json_string(const std::string& text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

std::vector<TextSpan> parse_spans(const Json& spans) {
  std::vector<TextSpan> result;
  for (const Json& span : spans.as_array()) {
    const auto ends = span.as_array();
    if (ends.size() != 2) spans.reject("a list of [start, end] pairs");
    const int64_t begin = ends[0].as_int();
    const int64_t end = ends[1].as_int();
    if (begin < 0 || end < begin) spans.reject("pairs with 0 <= start <= end");
    result.push_back({static_cast<size_t>(begin), static_cast<size_t>(end)});
  }
  return result;
}

void fill_from_json(const Json& json, const RowSettings& settings, InputRow& row) {
  if (!json.is_object()) json.reject("an object");
  simdjson::dom::element id;  // at_key, because find() does not tell null from absent
  if (json.raw().at_key("id").get(id) == simdjson::SUCCESS) row.id = Json(json.document(), id, "id").dump();
  if (json.find("image")) {
    fail(ErrorKind::kUnsupported, row.where, "'image': this build takes text only; expected '{}'", settings.text_field);
  }
  row.input.text = json.at(settings.text_field).as_string();
  simdjson::dom::element task;
  if (json.raw().at_key("task").get(task) == simdjson::SUCCESS) {
    row.input.task = task.is_null() ? std::string() : std::string(Json(json.document(), task, "task").as_string());
  }
  row.input.use_prompt = settings.use_prompt && json.bool_or("prompt", true);
  if (const auto spans = json.find("spans")) row.input.spans = parse_spans(*spans);
}

class TextReader final : public RowReader {
 public:
  TextReader(std::vector<std::string> texts, RowSettings settings)
      : texts_(std::move(texts)), settings_(std::move(settings)) {}

  bool next(InputRow& row) override {
    if (index_ == texts_.size()) return false;
    row = new_row(static_cast<int64_t>(index_), fmt::format("argument {}", index_ + 1), settings_);
    set_text(row, texts_[index_++]);
    return true;
  }

 private:
  std::vector<std::string> texts_;
  RowSettings settings_;
  size_t index_ = 0;
};

class DirectoryReader final : public RowReader {
 public:
  DirectoryReader(const std::string& path, RowSettings settings)
      : files_(list_files(path)), settings_(std::move(settings)) {}

  bool next(InputRow& row) override {
    while (position_ < files_.size()) {
      const std::string& path = files_[position_++];
      std::string content = read_file(path, kMostBytes + 1);
      if (!is_text(content)) continue;
      row = new_row(index_++, path, settings_);
      row.id = as_json_string(repair_utf8(path));
      set_text(row, std::move(content));
      return true;
    }
    return false;
  }

 private:
  std::vector<std::string> files_;
  RowSettings settings_;
  size_t position_ = 0;
  int64_t index_ = 0;
};

/// What the readers of one stream share: a file or standard input, and where they are in it.
class StreamReader : public RowReader {
 protected:
  StreamReader(const std::string& path, RowSettings settings)
      : name_(path == "-" ? "standard input" : path), settings_(std::move(settings)) {
    if (path == "-") return;
    file_.open(path, std::ios::binary);
    if (!file_) fail(ErrorKind::kNotFound, path, "cannot open");
  }

  std::istream& stream() { return file_.is_open() ? static_cast<std::istream&>(file_) : std::cin; }
  /// At what looks like the end: a signal ends the reading of standard input, too.
  void check_stream() {
    check_interrupted();
    if (stream().bad()) fail(ErrorKind::kIo, name_, "cannot read");
  }

  std::string name_;
  RowSettings settings_;
  int64_t index_ = 0;

 private:
  std::ifstream file_;
};

class LineReader final : public StreamReader {
 public:
  LineReader(const std::string& path, const RowSettings& settings, bool is_json)
      : StreamReader(path, settings), is_json_(is_json) {}

  bool next(InputRow& row) override {
    std::string line;
    do {
      if (!read_line(stream(), line, kMostBytes)) {
        check_stream();
        return false;
      }
      if (line.ends_with('\r')) line.pop_back();
      if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    } while (is_json_ && line.find_first_not_of(" \t") == std::string::npos);
    row = new_row(index_++, fmt::format("{}:{}", name_, number_), settings_);
    if (is_json_) {
      parse_json_row(line, settings_, row);
    } else {
      set_text(row, std::move(line));
    }
    return true;
  }

 private:
  bool is_json_;
  int64_t number_ = 0;
};

class CsvReader final : public StreamReader {
 public:
  CsvReader(const std::string& path, const RowSettings& settings, char separator)
      : StreamReader(path, settings), csv_(stream(), name_, separator, kMostBytes) {
    std::vector<std::string> names;
    if (!csv_.next(names))
      fail(ErrorKind::kInvalidInput, name_, "expected a header line with the column names, found nothing");
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == settings_.text_field) text_ = i;
      if (names[i] == "id") id_ = i;
      if (names[i] == "task") task_ = i;
    }
    width_ = names.size();
    if (!text_) {
      fail(ErrorKind::kInvalidInput, name_,
           "no column '{}' in the header; name the column of the texts with --text-field", settings_.text_field);
    }
  }

  bool next(InputRow& row) override {
    std::vector<std::string> fields;
    if (!csv_.next(fields)) {
      check_stream();
      return false;
    }
    row = new_row(index_++, fmt::format("{}:{}", name_, csv_.line()), settings_);
    if (!check_length(row, csv_.bytes())) return true;
    if (fields.size() != width_) {
      row.error.emplace(ErrorKind::kInvalidInput,
                        fmt::format("expected {} fields as in the header, found {}", width_, fields.size()), row.where);
      return true;
    }
    if (id_) row.id = as_json_string(repair_utf8(fields[*id_]));
    if (task_ && !fields[*task_].empty()) row.input.task = fields[*task_];
    set_text(row, std::move(fields[*text_]));
    return true;
  }

 private:
  CsvParser csv_;
  size_t width_ = 0;
  std::optional<size_t> text_;
  std::optional<size_t> id_;
  std::optional<size_t> task_;
};

RowFormat format_of(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".jsonl" || ending == ".ndjson") return RowFormat::kJsonl;
  if (ending == ".csv") return RowFormat::kCsv;
  if (ending == ".tsv") return RowFormat::kTsv;
  return RowFormat::kLines;
}

}  // namespace

void parse_json_row(std::string_view line, const RowSettings& settings, InputRow& row) {
  if (!check_length(row, line.size())) return;
  try {
    row.is_repaired = find_invalid_utf8(line).has_value();
    const std::string repaired = row.is_repaired ? repair_utf8(line) : std::string();
    const auto document = JsonDocument::parse(row.is_repaired ? repaired : line, row.where, ErrorKind::kInvalidInput);
    fill_from_json(document.root(), settings, row);
  } catch (const Error& error) {
    row.error = error;
  }
}

std::unique_ptr<RowReader> read_texts(std::vector<std::string> texts, const RowSettings& settings) {
  return std::make_unique<TextReader>(std::move(texts), settings);
}

std::unique_ptr<RowReader> read_rows(const std::string& path, const RowSettings& settings) {
  if (path != "-" && std::filesystem::is_directory(path)) return std::make_unique<DirectoryReader>(path, settings);
  const RowFormat format = settings.format.value_or(path == "-" ? RowFormat::kLines : format_of(path));
  switch (format) {
    case RowFormat::kLines: return std::make_unique<LineReader>(path, settings, false);
    case RowFormat::kJsonl: return std::make_unique<LineReader>(path, settings, true);
    case RowFormat::kCsv: return std::make_unique<CsvReader>(path, settings, ',');
    case RowFormat::kTsv: return std::make_unique<CsvReader>(path, settings, '\t');
  }
  return nullptr;
}

}  // namespace jina::cli
