#include "net/model_cache.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "net/directory_lock.h"
#include "net/manifest.h"
#include "net/model_files.h"
#include "net/model_name.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHubPrefix = "models--";
constexpr size_t kShortestCommitPrefix = 7;
constexpr size_t kMaxNamesInMessage = 8;

/// Names of the entries of a directory that are directories (or links to some), sorted; none when it does not exist.
std::vector<std::string> folders_of(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(directory, code), end; !code && entry != end; entry.increment(code)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

int64_t bytes_below(const std::string& directory) {
  int64_t sum = 0;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(directory, code), end; !code && entry != end; entry.increment(code)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) sum += static_cast<int64_t>(entry->file_size(ignored));
  }
  return sum;
}

/// Configuration, tokenizer and weights are there, as far as names tell.
bool looks_complete(const std::string& directory) {
  const auto has = [&](std::string_view file) {
    std::error_code code;
    return fs::exists(fmt::format("{}/{}", directory, file), code);
  };
  return has("config.json") && has("tokenizer.json") && (has(kWeightsFile) || has(kWeightsIndexFile));
}

StoredModel read_pulled(const ModelName& name, const std::string& directory) {
  StoredModel model{name.repository(), name.revision, {}, directory, 0, false, ModelOrigin::kPulled};
  try {
    if (const auto manifest = read_manifest(directory)) {
      model.commit = manifest->commit;
      model.is_complete = manifest->model == name && missing_files(directory, *manifest).empty();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kModelFile) throw;  // a broken manifest: incomplete, another pull mends it
  }
  return model;
}

void scan_ours(const std::string& models_dir, std::vector<StoredModel>& models) {
  for (const std::string& folder : folders_of(models_dir)) {
    if (folder.starts_with('.')) continue;
    const std::string directory = models_dir + "/" + folder;
    if (const auto name = ModelName::from_directory(folder)) {
      models.push_back(read_pulled(*name, directory));
    } else {
      models.push_back({folder, {}, {}, directory, 0, looks_complete(directory), ModelOrigin::kPlaced});
    }
  }
}

/// Commit → name of a reference to it ("main" wins), of one repository in the hub cache.
std::map<std::string, std::string> read_references(const std::string& repository) {
  std::map<std::string, std::string> names;
  const fs::path root = repository + "/refs";
  std::error_code code;
  for (fs::recursive_directory_iterator entry(root, code), end; !code && entry != end; entry.increment(code)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    std::string commit = read_file(entry->path().string());
    while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r')) commit.pop_back();
    const std::string reference = entry->path().lexically_relative(root).string();
    if (is_commit(commit) && (reference == kMainRevision || names.count(commit) == 0)) names[commit] = reference;
  }
  return names;
}

void scan_hub_cache(const std::string& hub_cache_dir, std::vector<StoredModel>& models) {
  if (hub_cache_dir.empty()) return;
  for (const std::string& folder : folders_of(hub_cache_dir)) {
    if (!folder.starts_with(kHubPrefix)) continue;
    const std::string short_name = folder.substr(kHubPrefix.size());
    const auto parsed = ModelName::from_directory(short_name);
    const std::string name = parsed ? parsed->repository() : short_name;  // old repositories have no organisation
    const std::string repository = hub_cache_dir + "/" + folder;
    const std::map<std::string, std::string> references = read_references(repository);
    for (const std::string& commit : folders_of(repository + "/snapshots")) {
      const std::string directory = repository + "/snapshots/" + commit;
      if (!looks_complete(directory)) continue;
      const auto reference = references.find(commit);
      models.push_back({name, reference == references.end() ? commit : reference->second, commit, directory, 0, true,
                        ModelOrigin::kHubCache});
    }
  }
}

std::vector<StoredModel> scan(const ModelStores& stores) {
  std::vector<StoredModel> models;
  scan_ours(stores.models_dir, models);
  scan_hub_cache(stores.hub_cache_dir, models);
  return models;
}

/// A name as a person writes it, split at '@'.
struct Query {
  explicit Query(const std::string& text) : name(text.substr(0, text.find('@'))) {
    if (name.size() < text.size()) revision = text.substr(name.size() + 1);
  }

  bool fits_name(const StoredModel& model) const {
    return model.name == name || (!is_full() && model.name.substr(model.name.rfind('/') + 1) == name);
  }
  bool fits(const StoredModel& model) const {
    if (!fits_name(model)) return false;
    if (revision.empty()) return model.revision.empty() || model.revision == kMainRevision;
    return revision == model.revision ||
           (revision.size() >= kShortestCommitPrefix && model.commit.starts_with(revision));
  }
  bool is_full() const { return name.find('/') != std::string::npos; }

  std::string name;
  std::string revision;
};

std::string listed(const std::vector<StoredModel>& models) {
  std::vector<std::string> names;
  for (const StoredModel& model : models) {
    if (std::find(names.begin(), names.end(), model.text()) == names.end()) names.push_back(model.text());
  }
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNamesInMessage); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMaxNamesInMessage ? fmt::format("{} and {} more", text, names.size() - kMaxNamesInMessage)
                                           : text;
}

/// Of the models that fit, those of the one name that is meant: an exact name beats the same last part of a longer one.
std::vector<StoredModel> choose_name(const std::string& name, const Query& query, std::vector<StoredModel> fitting) {
  const auto is_exact = [&](const StoredModel& model) { return model.name == query.name; };
  if (std::any_of(fitting.begin(), fitting.end(), is_exact)) {
    std::erase_if(fitting, [&](const StoredModel& model) { return !is_exact(model); });
  }
  const auto is_other = [&](const StoredModel& model) { return model.name != fitting.front().name; };
  if (std::any_of(fitting.begin(), fitting.end(), is_other)) {
    fail(ErrorKind::kInvalidArgument, name, "the name fits several models, write one in full: {}", listed(fitting));
  }
  return fitting;
}

[[noreturn]] void fail_absent(const std::string& name, const std::vector<StoredModel>& models) {
  const std::string known = models.empty() ? "" : "; on this machine are: " + listed(models);
  if (ModelName::parse(name)) {
    fail(ErrorKind::kNotFound, name, "no such model on this machine; `jina pull {}` fetches it{}", name, known);
  }
  fail(ErrorKind::kNotFound, name,
       "no such directory, and no such model on this machine; `jina pull ORG/NAME` fetches one, ./run.sh the default "
       "model{}",
       known);
}

[[noreturn]] void fail_in_part(const std::string& name, const StoredModel& model) {
  std::string missing = "its manifest is missing or broken";
  try {
    if (const auto manifest = read_manifest(model.directory)) {
      missing = "missing or of another size:";
      for (const std::string& path : missing_files(model.directory, *manifest)) missing += " " + path;
    }
  } catch (const Error& error) {
    missing = error.what();
  }
  fail(ErrorKind::kModelFile, name, "only in part in {} ({}); `jina pull {}` completes it", model.directory, missing,
       model.text());
}

/// True for what can only be meant as a path; a revision may have slashes, a name has one at most.
bool is_path_like(const std::string& text) {
  const std::string name = text.substr(0, text.find('@'));
  return name.starts_with('/') || name.starts_with('.') || name.starts_with('~') || name.ends_with('/') ||
         std::count(name.begin(), name.end(), '/') > 1;
}

}  // namespace

std::string StoredModel::text() const {
  return revision.empty() || revision == kMainRevision ? name : name + "@" + revision;
}

std::vector<StoredModel> list_models(const ModelStores& stores) {
  std::vector<StoredModel> models = scan(stores);
  for (StoredModel& model : models) model.bytes = bytes_below(model.directory);
  std::stable_sort(models.begin(), models.end(),
                   [](const StoredModel& a, const StoredModel& b) { return a.text() < b.text(); });
  return models;
}

std::string locate_model(const std::string& name, const ModelStores& stores) {
  std::error_code code;
  if (name.empty()) fail(ErrorKind::kInvalidArgument, "model", "expected a directory or a name, got an empty text");
  if (fs::is_directory(name, code)) return name;
  if (fs::exists(name, code)) fail(ErrorKind::kInvalidArgument, name, "expected a model directory, found a file");
  if (is_path_like(name)) fail(ErrorKind::kNotFound, name, "no such directory");

  const std::vector<StoredModel> models = scan(stores);
  const Query query(name);
  std::vector<StoredModel> fitting;
  std::vector<StoredModel> partial;
  for (const StoredModel& model : models) {
    if (!query.fits(model)) continue;
    const bool is_usable = model.is_complete || model.origin == ModelOrigin::kPlaced;
    (is_usable ? fitting : partial).push_back(model);
  }
  if (!fitting.empty()) return choose_name(name, query, fitting).front().directory;
  if (!partial.empty()) fail_in_part(name, partial.front());
  fail_absent(name, models);
}

RemovedModel remove_model(const std::string& name, const ModelStores& stores) {
  std::vector<StoredModel> ours;
  scan_ours(stores.models_dir, ours);
  const Query query(name);
  std::vector<StoredModel> fitting;
  std::copy_if(ours.begin(), ours.end(), std::back_inserter(fitting),
               [&](const auto& model) { return query.fits(model); });
  if (fitting.empty()) {
    std::vector<StoredModel> others;
    scan_hub_cache(stores.hub_cache_dir, others);
    for (const StoredModel& model : others) {
      if (!query.fits(model)) continue;
      fail(ErrorKind::kInvalidArgument, name, "lies in the hub cache, which belongs to other programs: {}",
           model.directory);
    }
    fail(ErrorKind::kNotFound, name, "no such model in {}{}", stores.models_dir,
         ours.empty() ? "" : "; there are: " + listed(ours));
  }
  const StoredModel model = choose_name(name, query, fitting).front();
  const DirectoryLock lock(stores.models_dir, fs::path(model.directory).filename().string());
  const bool is_link = fs::is_symlink(model.directory);
  RemovedModel removed{model.text(), model.directory, is_link ? 0 : bytes_below(model.directory)};
  std::error_code code;
  // The manifest goes first: what an interrupted removal leaves behind is incomplete.
  if (!is_link) fs::remove(model.directory + "/" + std::string(kManifestFile), code);
  fs::remove_all(model.directory, code);
  if (code) fail(ErrorKind::kIo, model.directory, "cannot remove: {}", code.message());
  return removed;
}

}  // namespace jina
