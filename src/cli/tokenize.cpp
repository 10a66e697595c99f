#include <filesystem>

#include "base/json.h"
#include "cli/command.h"
#include "cli/input_rows.h"
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

/// `model` is a directory with a tokenizer.json, such a file, or the name of a model.
std::string tokenizer_path(const std::string& model, const Environment& environment) {
  if (std::filesystem::is_regular_file(model)) return model;
  const std::string directory = std::filesystem::is_directory(model) ? model : resolve_model(model, environment);
  const std::string path = directory + "/tokenizer.json";
  if (!std::filesystem::exists(path)) fail(ErrorKind::kNotFound, directory, "the directory has no tokenizer.json");
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

/// Tokenizes rows one by one and writes a line of JSON for each.
class TokenWriter {
 public:
  TokenWriter(const std::string& tokenizer, bool has_special)
      : tokenizer_(Tokenizer::load(tokenizer)), options_{.add_special_tokens = has_special, .max_length = 0} {}

  void write(const InputRow& row) {
    if (row.error) throw *row.error;
    if (row.is_repaired) {
      warn(fmt::format("{}: broken UTF-8 replaced by U+FFFD; offsets count in the repaired text", row.where));
    }
    append_encoding(output_, tokenizer_, tokenizer_.encode(row.input.text, options_));
    if (output_.size() >= kOutputBuffer) flush();
  }

  void flush() {
    write_output(output_);
    output_.clear();
  }

 private:
  Tokenizer tokenizer_;
  EncodeOptions options_;
  std::string output_;
};

void run(const TokenizeOptions& options, const Environment& environment) {
  if (options.texts.empty() == options.input.empty()) {
    fail(ErrorKind::kInvalidArgument, "TEXT, --input", "expected texts, or -i FILE (- for standard input)");
  }
  RowSettings settings{.text_field = options.text_field};
  if (options.is_jsonl) settings.format = RowFormat::kJsonl;
  TokenWriter writer(tokenizer_path(options.model, environment), !options.no_special);
  const auto reader = options.input.empty() ? read_texts(options.texts, settings) : read_rows(options.input, settings);
  for (InputRow row; reader->next(row);) {
    check_interrupted();
    writer.write(row);
    if (options.input == "-") writer.flush();  // whoever feeds a pipe line by line waits for the answer
  }
  writer.flush();
}

}  // namespace

void add_tokenize(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<TokenizeOptions>();
  command.add_option("TEXT", options->texts, "Texts to tokenize");
  command.add_option("-i,--input", options->input,
                     "A file (one text a line; .jsonl, .csv, .tsv by their ending), a directory, or -");
  command.add_option("-m,--model", options->model, "Model directory or name")->default_val(environment.default_model);
  command.add_flag("--jsonl", options->is_jsonl, "The input is JSON lines whatever its name");
  command.add_option("--text-field", options->text_field, "Field of a JSON line that holds the text")
      ->default_val(options->text_field);
  command.add_flag("--no-special", options->no_special, "Without the special tokens of the template");
  command.callback([options, environment] { run(*options, environment); });
}

}  // namespace jina::cli
