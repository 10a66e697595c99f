#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/model_location.h"
#include "cli/verification.h"

namespace jina::cli {

namespace {

struct VerifyOptions {
  std::string model;
  std::string expected;
  int threads = 0;
  bool as_json = false;
};

/// A known expectation with the text that it was read from.
struct Known {
  JsonDocument document;
  ExpectationMatch match;
  std::string id;
};

std::vector<Known> read_known() {
  std::vector<Known> known;
  for (const std::string_view text : known_expectations()) {
    JsonDocument document = JsonDocument::parse(text, "known vectors", ErrorKind::kInternal);
    ExpectationMatch match = parse_match(document.root());
    std::string id(document.root().at("id").as_string());
    known.push_back({std::move(document), std::move(match), std::move(id)});
  }
  return known;
}

/// The one whose name agrees, else the one whose shape alone tells.
const Known* find_known(const std::vector<Known>& known, const ModelCard& card) {
  for (const Known& one : known) {
    if (has_shape(one.match, card) && has_name(one.match, card)) return &one;
  }
  for (const Known& one : known) {
    if (one.match.by_shape && has_shape(one.match, card)) return &one;
  }
  return nullptr;
}

[[noreturn]] void fail_unknown(const std::vector<Known>& known, const ModelCard& card) {
  std::string ids;
  std::string alike;
  for (const Known& one : known) {
    ids += (ids.empty() ? "" : ", ") + one.id;
    if (has_shape(one.match, card)) alike += (alike.empty() ? "" : ", ") + one.id;
  }
  fail(ErrorKind::kNotFound, card.directory,
       "no published vectors are known for this model (family {}, {} dimensions, {} layers); known: {}. {}Give "
       "--expected NAME for one of these, or a directory with expected.json and expected.safetensors",
       card.family, card.dimensions, card.layers, ids,
       alike.empty() ? "" : fmt::format("Of the same shape, but of another name: {}. ", alike));
}

/// By --expected: a known name, or a directory (or the expected.json in it).
Expectation choose_named(const std::vector<Known>& known, const std::string& expected) {
  for (const Known& one : known) {
    if (one.id == expected) return parse_expectation(one.document.root());
  }
  std::filesystem::path path(expected);
  if (path.filename() == "expected.json") path = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::exists(path / "expected.json")) {
    fail(ErrorKind::kNotFound, expected, "is neither a known name nor a directory with expected.json");
  }
  return read_reference_directory(path.string());
}

/// What the checkpoint is compared with: --expected, else vectors that lie beside it, else published ones.
Expectation choose_expectation(const VerifyOptions& options, const ModelCard& card) {
  const std::vector<Known> known = read_known();
  if (!options.expected.empty()) return choose_named(known, options.expected);
  const std::filesystem::path parent = std::filesystem::canonical(card.directory).parent_path();
  if (std::filesystem::exists(parent / "expected.json")) return read_reference_directory(parent.string());
  const Known* found = find_known(known, card);
  if (found == nullptr) fail_unknown(known, card);
  return parse_expectation(found->document.root());
}

/// A model that does not load is an answer, too: its files are wrong.
VerifyReport report_of_broken(const Error& error) {
  return {.checks = {{.name = "files", .is_ok = false, .note = error.what()}}, .causes = {error.what()}};
}

void print_text(const VerifyReport& report, const std::string& directory, const Expectation& expectation) {
  std::string out = fmt::format("{}\nagainst {}, computed in f32\n\n", directory,
                                expectation.id.empty() ? "its own files" : expectation.id);
  for (const Check& check : report.checks) {
    std::string numbers;
    if (check.difference) numbers = fmt::format("off by {:.2g} of {:.0e} allowed", *check.difference, *check.tolerance);
    out += fmt::format("{:<8} {}{}{}{}{}\n", check.is_ok ? "ok" : "DIFFERS", check.name, numbers.empty() ? "" : ": ",
                       numbers, check.note.empty() ? "" : (numbers.empty() ? ": " : "; "), check.note);
  }
  out += "\n";
  for (const std::string& cause : report.causes) out += fmt::format("cause: {}\n", cause);
  if (report.is_ok()) out += "The checkpoint gives the published results.\n";
  std::fputs(out.c_str(), stdout);
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
  append_json_string(out, key);
  out += ":";
  append_json_string(out, value);
}

/// JSON has no infinity.
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

void print_json(const VerifyReport& report, const std::string& directory, const Expectation& expectation) {
  std::string out = "{";
  append_member(out, "directory", directory);
  out += ",";
  append_member(out, "expected", expectation.id);
  out += fmt::format(",\"precision\":\"f32\",\"ok\":{},\"checks\":[", report.is_ok());
  for (size_t i = 0; i < report.checks.size(); ++i) {
    const Check& check = report.checks[i];
    out += i > 0 ? ",{" : "{";
    append_member(out, "name", check.name);
    out += fmt::format(",\"ok\":{},", check.is_ok);
    if (check.difference) {
      out += fmt::format("\"difference\":{},\"tolerance\":{},", json_number(*check.difference),
                         json_number(*check.tolerance));
    }
    append_member(out, "note", check.note);
    out += "}";
  }
  out += "],\"causes\":[";
  for (size_t i = 0; i < report.causes.size(); ++i) {
    if (i > 0) out += ",";
    append_json_string(out, report.causes[i]);
  }
  out += "]}\n";
  std::fputs(out.c_str(), stdout);
}

void verify(const VerifyOptions& options, const Environment& environment) {
  const std::string directory = resolve_model(options.model, environment);
  if (!std::filesystem::exists(directory + "/config.json")) {
    fail(ErrorKind::kNotFound, directory, "is no model directory: expected config.json in it");
  }
  Expectation expectation;
  VerifyReport report;
  std::shared_ptr<LoadedModel> model;
  OpenOptions open;
  open.precision = Precision::kF32;
  open.threads = options.threads;
  try {
    model = load_model(directory, open);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kModelFile) throw;
    report = report_of_broken(error);
  }
  if (model != nullptr) {
    expectation = choose_expectation(options, model->card);
    report = verify_model(*model, expectation);
  }
  options.as_json ? print_json(report, directory, expectation) : print_text(report, directory, expectation);
  if (!report.is_ok()) throw AnswerIsNo();
}

}  // namespace

void add_verify(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<VerifyOptions>();
  command.add_option("MODEL", options->model, "Model: a directory, a pulled name, or an alias")
      ->default_val(environment.default_model);
  command.add_option("--expected", options->expected,
                     "What to compare with: the name of a published checkpoint, or a directory with expected.json and "
                     "expected.safetensors (default: beside the model, else found by its name and shape)");
  command.add_flag("--json", options->as_json, "One JSON object");
  command.add_option("--threads", options->threads, "Threads (default: all processors)")->check(CLI::PositiveNumber);
  command.footer(
      "Always computes in f32. Exit code: 0 all as published, 1 something differs, 2 the model is not known.");
  command.callback([options, environment] { verify(*options, environment); });
}

}  // namespace jina::cli
