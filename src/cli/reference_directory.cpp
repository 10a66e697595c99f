#include <algorithm>
#include <filesystem>

#include "cli/expectation.h"
#include "weights/safetensors.h"

namespace jina::cli {

namespace {

// What the writer of these directories promises of a float32 implementation (docs/verify.md).
constexpr double kHiddenTolerance = 1e-4;
constexpr double kLongHiddenTolerance = 5e-4;
constexpr size_t kLongTokens = 600;
constexpr double kUnitTolerance = 1e-5;

/// expected.json with the tensors beside it.
class ReferenceDirectory {
 public:
  explicit ReferenceDirectory(const std::string& directory)
      : directory_(directory),
        document_(JsonDocument::parse_file(directory + "/expected.json")),
        tensors_(open_safetensors_file(directory + "/expected.safetensors")) {}

  Expectation read() const;

 private:
  Json root() const { return document_.root(); }
  ExpectedRun read_run(const std::string& prefix, const std::vector<std::string>& texts,
                       const std::vector<Json>& tokens) const;
  void add_vectors(const std::string& name, ExpectedValues values, std::vector<ExpectedText>& texts) const;
  void add_hidden(const std::string& name, const Json& token, ExpectedText& text) const;
  void read_facts(Expectation& expectation) const;
  void read_runs(Expectation& expectation) const;
  void read_tensors(Expectation& expectation) const;

  std::string directory_;
  JsonDocument document_;
  std::shared_ptr<WeightSource> tensors_;
};

std::vector<int32_t> read_ids(const Json& token) {
  const Json list = token.is_array() ? token : token.at("ids");
  std::vector<int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
  return ids;
}

/// Row i of the tensor `name` belongs to text i.
void ReferenceDirectory::add_vectors(const std::string& name, ExpectedValues values,
                                     std::vector<ExpectedText>& texts) const {
  const auto found = tensors_->find(name, {});
  if (!found) return;
  if (found->rows() != static_cast<int64_t>(texts.size())) {
    fail(ErrorKind::kModelFile, tensors_->where(), "tensor '{}': expected a row for each of {} texts, found {}", name,
         texts.size(), to_string(found->shape()));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const float* row = found->row<float>(static_cast<int64_t>(i));
    values.values.assign(row, row + found->width());
    texts[i].values.push_back(values);
  }
}

void ReferenceDirectory::add_hidden(const std::string& name, const Json& token, ExpectedText& text) const {
  const auto found = tensors_->find(name, {});
  if (!found) return;
  ExpectedValues hidden{.quantity = Quantity::kHidden, .rows = {}};
  hidden.tolerance = text.ids.size() > kLongTokens ? kLongHiddenTolerance : kHiddenTolerance;
  const auto positions = token.is_object() ? token.find("hidden_positions") : std::nullopt;
  if (positions && positions->is_array()) {
    for (const Json& position : positions->as_array()) hidden.rows.push_back(position.as_int());
  } else {
    for (int64_t row = 0; row < found->rows(); ++row) hidden.rows.push_back(row);
  }
  if (static_cast<int64_t>(hidden.rows.size()) != found->rows()) {
    fail(ErrorKind::kModelFile, tensors_->where(), "tensor '{}': expected {} rows, found {}", name, hidden.rows.size(),
         to_string(found->shape()));
  }
  hidden.values.assign(found->span<float>().begin(), found->span<float>().end());
  text.values.push_back(std::move(hidden));
}

ExpectedRun ReferenceDirectory::read_run(const std::string& prefix, const std::vector<std::string>& texts,
                                         const std::vector<Json>& tokens) const {
  if (tokens.size() != texts.size()) {
    fail(ErrorKind::kModelFile, document_.where(), "expected token ids of {} texts, found {}", texts.size(),
         tokens.size());
  }
  ExpectedRun run{.source = root().string_or("reference", directory_)};
  for (size_t i = 0; i < texts.size(); ++i) {
    ExpectedText& text = run.texts.emplace_back(ExpectedText{.text = texts[i], .ids = read_ids(tokens[i])});
    add_hidden(fmt::format("{}hidden.{}", prefix, i), tokens[i], text);
  }
  add_vectors(prefix + "pooled", {.quantity = Quantity::kPooled, .tolerance = kHiddenTolerance}, run.texts);
  add_vectors(prefix + "embedding", {.quantity = Quantity::kUnit, .tolerance = kUnitTolerance}, run.texts);
  return run;
}

void ReferenceDirectory::read_facts(Expectation& expectation) const {
  if (const auto pooling = root().find("pooling")) expectation.pooling = pooling->as_string();
  if (const auto length = root().find("max_seq_length")) expectation.max_tokens = length->as_int();
  if (const auto base = root().find("rotary_emb_base")) {
    expectation.config.emplace_back("rotary_emb_base", base->as_double());
  }
  if (const auto tasks = root().find("tasks")) {
    const auto instructions = root().find("instructions");
    expectation.tasks.emplace();
    for (const Json& task : tasks->as_array()) {
      const std::string name(task.as_string());
      expectation.tasks->push_back({name, instructions ? instructions->string_or(name, "") : ""});
    }
  }
}

void ReferenceDirectory::read_runs(Expectation& expectation) const {
  std::vector<std::string> texts;
  std::vector<Json> tokens;
  for (const Json& text : root().at("texts").as_array()) {
    texts.emplace_back(text.is_string() ? text.as_string() : text.at("text").as_string());
    if (text.is_object()) tokens.push_back(text);
  }
  const auto runs = root().find("runs");
  if (!runs) {
    expectation.runs.push_back(read_run("", texts, tokens.empty() ? root().at("ids").as_array() : tokens));
    return;
  }
  // Runs without an instruction share the token ids of the first.
  const auto plain_tokens = runs->as_array().front().at("tokens").as_array();
  for (const Json& json : runs->as_array()) {
    const bool has_instruction = !json.string_or("instruction", "").empty();
    ExpectedRun run = read_run(std::string(json.at("key").as_string()) + ".", texts,
                               has_instruction ? json.at("tokens").as_array() : plain_tokens);
    run.task = json.string_or("task", "");
    run.has_instruction = has_instruction;
    expectation.runs.push_back(std::move(run));
  }
}

void ReferenceDirectory::read_tensors(Expectation& expectation) const {
  const std::string path = directory_ + "/tensors.json";
  if (!std::filesystem::exists(path)) return;
  const JsonDocument document = JsonDocument::parse_file(path);
  for (const auto [key, value] : document.root().as_object()) {
    const Json tensor = document.root().at(key);
    expectation.tensors.push_back(
        {std::string(key), std::string(tensor.at("digest").as_string()), tensor.at("sum").as_double()});
  }
}

Expectation ReferenceDirectory::read() const {
  Expectation expectation{.id = directory_ + "/expected.json"};
  read_facts(expectation);
  read_runs(expectation);
  read_tensors(expectation);
  return expectation;
}

}  // namespace

Expectation read_reference_directory(const std::string& directory) { return ReferenceDirectory(directory).read(); }

}  // namespace jina::cli
