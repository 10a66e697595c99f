#include <memory>

#include <fmt/ranges.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/model_options.h"

namespace jina::cli {

namespace {

struct ShowOptions {
  ModelOptions model;
  std::string name;
  bool as_json = false;
};

std::string join(const std::vector<int64_t>& values) { return fmt::format("{}", fmt::join(values, ", ")); }

void print_text(const Embedder& embedder) {
  const ModelInfo& info = embedder.info();
  std::string out = fmt::format(
      "name         {}\nfamily       {}\ndirectory    {}\ndimensions   {}\nmax tokens   {}\nlayers       {}\n"
      "parameters   {:.1f} M\npooling      {}\nprecision    {}\nfingerprint  {}\n",
      info.name, info.family, info.directory, info.dimensions, info.max_tokens, info.layers,
      static_cast<double>(info.parameters) / 1e6, info.pooling, embedder.precision(),
      embedder.fingerprint(std::nullopt));
  if (!info.matryoshka.empty()) out += fmt::format("cuts well to {}\n", join(info.matryoshka));
  if (info.tasks.empty()) out += "tasks        none\n";
  for (const TaskInfo& task : info.tasks) {
    out += fmt::format("task         {}{}{}\n", task.name, task.adapter >= 0 ? ", an adapter" : "",
                       task.prompt.empty() ? "" : fmt::format(", prompt \"{}\"", task.prompt));
  }
  write_output(out);
}

void print_json(const Embedder& embedder) {
  const ModelInfo& info = embedder.info();
  std::string out = "{\"name\":";
  append_json_string(out, info.name);
  out += ",\"family\":";
  append_json_string(out, info.family);
  out += ",\"directory\":";
  append_json_string(out, info.directory);
  out += fmt::format(",\"dimensions\":{},\"max_tokens\":{},\"layers\":{},\"parameters\":{},\"pooling\":\"{}\"",
                     info.dimensions, info.max_tokens, info.layers, info.parameters, info.pooling);
  out += fmt::format(",\"precision\":\"{}\",\"fingerprint\":\"{}\",\"matryoshka\":[{}],\"tasks\":[",
                     embedder.precision(), embedder.fingerprint(std::nullopt), join(info.matryoshka));
  for (size_t i = 0; i < info.tasks.size(); ++i) {
    out += i > 0 ? ",{\"name\":" : "{\"name\":";
    append_json_string(out, info.tasks[i].name);
    out += ",\"prompt\":";
    append_json_string(out, info.tasks[i].prompt);
    out += fmt::format(",\"adapter\":{}}}", info.tasks[i].adapter >= 0);
  }
  out += "]}\n";
  write_output(out);
}

}  // namespace

void add_show(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<ShowOptions>();
  command.add_option("MODEL", options->name, "Model (default: the default model)");
  command.add_flag("--json", options->as_json, "One JSON object");
  add_model_options(command, options->model, environment);
  command.callback([options, environment] {
    if (!options->name.empty()) options->model.model = options->name;
    const Embedder embedder = open_embedder(options->model, environment);
    options->as_json ? print_json(embedder) : print_text(embedder);
  });
}

}  // namespace jina::cli
