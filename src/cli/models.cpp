#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/model_location.h"

namespace jina::cli {

namespace {

constexpr size_t kShownCommitDigits = 12;

std::string_view origin_name(ModelOrigin origin) {
  switch (origin) {
    case ModelOrigin::kPulled: return "pulled";
    case ModelOrigin::kPlaced: return "placed";
    case ModelOrigin::kHubCache: return "hub cache";
  }
  return "";
}

std::string shown_revision(const StoredModel& model) {
  const std::string commit = model.commit.substr(0, kShownCommitDigits);
  if (model.revision.empty() || model.revision == model.commit) return commit.empty() ? "-" : commit;
  return commit.empty() ? model.revision : fmt::format("{} ({})", model.revision, commit);
}

void print_table(const std::vector<StoredModel>& models, const std::string& models_dir) {
  if (models.empty()) {
    fmt::print("no models in {}; `jina pull ORG/NAME` fetches one\n", models_dir);
    return;
  }
  size_t name_width = 4;
  size_t revision_width = 8;
  for (const StoredModel& model : models) {
    name_width = std::max(name_width, model.name.size());
    revision_width = std::max(revision_width, shown_revision(model).size());
  }
  const std::string_view row = "{:<{}}  {:>9}  {:<{}}  {:<10}  {}\n";
  fmt::print(fmt::runtime(row), "NAME", name_width, "SIZE", "REVISION", revision_width, "STATE", "WHERE");
  for (const StoredModel& model : models) {
    fmt::print(fmt::runtime(row), model.name, name_width, readable_size(model.bytes), shown_revision(model),
               revision_width, model.is_complete ? "complete" : "incomplete", origin_name(model.origin));
  }
}

void print_json(const std::vector<StoredModel>& models) {
  std::string text = "[";
  const auto append_member = [&](std::string_view key, const std::string& value) {
    append_json_string(text, key);
    text += ": ";
    append_json_string(text, repair_utf8(value));
    text += ", ";
  };
  for (const StoredModel& model : models) {
    text += text.size() == 1 ? "\n  {" : ",\n  {";
    append_member("name", model.name);
    append_member("revision", model.revision);
    append_member("commit", model.commit);
    append_member("origin", std::string(origin_name(model.origin)));
    append_member("directory", model.directory);
    text += fmt::format("\"bytes\": {}, \"complete\": {}}}", model.bytes, model.is_complete);
  }
  fmt::print("{}\n]\n", text);
}

}  // namespace

void add_models(CLI::App& command, const Environment& environment) {
  auto is_json = std::make_shared<bool>(false);
  command.add_flag("--json", *is_json, "One JSON array for programs");
  command.callback([is_json, environment] {
    const ModelStores stores = model_stores(environment);
    const std::vector<StoredModel> models = list_models(stores);
    *is_json ? print_json(models) : print_table(models, stores.models_dir);
  });
}

}  // namespace jina::cli
