#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/model_location.h"
#include "text/tokenizer.h"

namespace jina::cli {

namespace {

constexpr size_t kOutputBuffer = 1 << 16;

struct TokenizeOptions {
  std::vector<std::string> texts;
  std::string input;
  std::string model;
  std::string text_field = "text";
  bool is_jsonl = false;
  bool no_special = false;
};

/// `model` is a directory with a tokenizer.json, or such a file.
std::string tokenizer_path(const std::string& model) {
  if (!std::filesystem::is_directory(model)) return model;
  const std::string path = model + "/tokenizer.json";
  if (!std::filesystem::exists(path)) fail(ErrorKind::kNotFound, model, "the directory has no tokenizer.json");
  return path;
}

template <typename Values, typename Append>  // any range with any way to write one of its values
void append_array(std::string& out, std::string_view name, const Values& values, Append append) {
  out += fmt::format("\"{}\":[", name);
  bool is_first = true;
  for (const auto& value : values) {
    if (!is_first) out += ',';
    is_first = false;
    append(value);
  }
  out += ']';
}

void append_encoding(std::string& out, const Tokenizer& tokenizer, const Encoding& encoding) {
  const auto append_number = [&](auto value) { fmt::format_to(std::back_inserter(out), "{}", value); };
  out += '{';
  append_array(out, "ids", encoding.ids, append_number);
  out += ',';
  append_array(out, "tokens", encoding.ids, [&](int32_t id) { append_json_string(out, tokenizer.token(id)); });
  out += ',';
  append_array(out, "offsets", encoding.offsets,
               [&](const ByteSpan& span) { fmt::format_to(std::back_inserter(out), "[{},{}]", span.begin, span.end); });
  out += ',';
  append_array(out, "special", encoding.special, append_number);
  out += "}\n";
}

/// Tokenizes texts one by one and writes a line of JSON for each.
class TokenWriter {
 public:
  explicit TokenWriter(const TokenizeOptions& options)
      : tokenizer_(Tokenizer::load(tokenizer_path(options.model))),
        options_{.add_special_tokens = !options.no_special, .max_length = 0} {}

  /// `where` names the text in warnings, e.g. "texts.txt:7".
  void write(std::string_view text, const std::string& where) {
    std::string repaired;
    if (const auto broken = find_invalid_utf8(text)) {
      warn(fmt::format("{}: broken UTF-8 at byte {} replaced by U+FFFD; offsets count in the repaired text", where,
                       *broken));
      repaired = repair_utf8(text);
      text = repaired;
    }
    append_encoding(output_, tokenizer_, tokenizer_.encode(text, options_));
    if (output_.size() >= kOutputBuffer) flush();
  }

  void flush() {
    write_all(1, output_, "standard output");
    output_.clear();
  }

 private:
  Tokenizer tokenizer_;
  EncodeOptions options_;
  std::string output_;
};

/// The text of a row of JSON lines; `storage` keeps it alive.
std::string_view text_of_row(const std::string& line, const std::string& field, const std::string& where,
                             std::optional<JsonDocument>& storage) {
  storage = JsonDocument::parse(find_invalid_utf8(line) ? repair_utf8(line) : line, where, ErrorKind::kInvalidInput);
  return storage->root().at(field).as_string();
}

void tokenize_lines(std::istream& input, const std::string& name, const TokenizeOptions& options, TokenWriter& writer) {
  const bool is_jsonl = options.is_jsonl || name.ends_with(".jsonl");
  std::string line;
  std::optional<JsonDocument> row;
  for (int64_t number = 1; std::getline(input, line); ++number) {
    check_interrupted();
    const std::string where = fmt::format("{}:{}", name, number);
    if (line.ends_with('\r')) line.pop_back();
    if (!is_jsonl) {
      writer.write(line, where);
    } else if (!line.empty()) {
      writer.write(text_of_row(line, options.text_field, where, row), where);
    }
    if (input.rdbuf()->in_avail() <= 0) writer.flush();  // whoever feeds a pipe line by line waits for the answer
  }
  if (input.bad()) fail(ErrorKind::kIo, name, "cannot read");
}

void run(const TokenizeOptions& options) {
  if (options.texts.empty() && options.input.empty()) {
    fail(ErrorKind::kInvalidArgument, {}, "nothing to tokenize: give texts, or -i FILE (- for standard input)");
  }
  TokenWriter writer(options);
  for (size_t i = 0; i < options.texts.size(); ++i) writer.write(options.texts[i], fmt::format("argument {}", i + 1));
  if (options.input == "-") {
    std::ios::sync_with_stdio(false);
    tokenize_lines(std::cin, "standard input", options, writer);
  } else if (!options.input.empty()) {
    std::ifstream file(options.input, std::ios::binary);
    if (!file || std::filesystem::is_directory(options.input)) {
      fail(ErrorKind::kNotFound, options.input, "cannot open the input file");
    }
    tokenize_lines(file, options.input, options, writer);
  }
  writer.flush();
}

}  // namespace

void add_tokenize(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<TokenizeOptions>();
  command.add_option("TEXT", options->texts, "Texts to tokenize");
  command.add_option("-i,--input", options->input, "File of texts, one a line, or .jsonl; - for standard input");
  command.add_option("-m,--model", options->model, "Model directory or name")->default_val(environment.default_model);
  command.add_flag("--jsonl", options->is_jsonl, "The input is JSON lines whatever its name");
  command.add_option("--text-field", options->text_field, "Field of a JSON line that holds the text")
      ->default_val(options->text_field);
  command.add_flag("--no-special", options->no_special, "Without the special tokens of the template");
  command.callback([options, environment] {
    if (!std::filesystem::exists(options->model)) options->model = resolve_model(options->model, environment);
    run(*options);
  });
}

}  // namespace jina::cli
