#include "training/checkpoint.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "base/atomic_directory.h"
#include "base/file.h"
#include "base/json_object.h"
#include "base/sha256.h"
#include "ops/torch/torch_tensor.h"
#include "training/export.h"
#include "training/heads.h"
#include "weights/safetensors.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kHeads = "head/";

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder).string());
  }
  std::ranges::sort(files);
  return files;
}

std::string digest_of(const std::string& path) {
  const auto file = MappedFile::open(path);
  Sha256 hash;
  hash.update(file->bytes());
  return hash.hex();
}

Tensor on_host(const at::Tensor& value) { return wrap(value.detach().to(at::kCPU).contiguous()); }

std::string state_text(const TrainingState& state, int64_t optimiser_steps, const std::string& folder) {
  JsonObject best;
  for (const auto& [name, value] : state.best) best.set(name, value);
  JsonObject digests;
  for (const std::string& file : files_below(folder)) digests.set(file, digest_of(folder + "/" + file));
  return JsonObject()
      .set("version", 1)
      .set("recipe", state.recipe)
      .set("stage", state.stage)
      .set("stage_index", state.stage_index)
      .set("step", state.step)
      .set("overall", state.overall)
      .set("optimiser_steps", optimiser_steps)
      .set("threads", state.threads)
      .set("best", best)
      .set("sha256", digests)
      .text();
}

/// Error kInvalidInput naming the file that is not what it was.
void check_digests(const Json& digests, const std::string& folder) {
  for (const auto& [name, digest] : digests.as_object()) {
    const std::string path = folder + "/" + std::string(name);
    if (!fs::exists(path)) fail(ErrorKind::kInvalidInput, path, "this file of a checkpoint is gone");
    if (digest_of(path) != std::string_view(digest.get_string())) {
      fail(ErrorKind::kInvalidInput, path, "its sha256 is not the one in the checkpoint's state.json: it was changed");
    }
  }
}

Checkpoint read_checkpoint(const std::string& path) {
  const JsonDocument document = JsonDocument::parse_file(path + "/state.json");
  const Json root = document.root();
  check_digests(root.at("sha256"), path);
  Checkpoint checkpoint{.path = path, .state = {}, .moments = {}, .optimiser_steps = 0, .heads = {}};
  TrainingState& state = checkpoint.state;
  state.recipe = root.at("recipe").as_string();
  state.stage = root.at("stage").as_string();
  state.stage_index = root.at("stage_index").as_int();
  state.step = root.at("step").as_int();
  state.overall = root.at("overall").as_int();
  state.threads = static_cast<int>(root.at("threads").as_int());
  for (const auto& [name, value] : root.at("best").as_object()) {
    state.best.emplace(name, Json(document, value, name).as_double());
  }
  checkpoint.optimiser_steps = root.at("optimiser_steps").as_int();
  const auto source = open_safetensors_file(path + "/training.safetensors");
  for (const std::string& name : source->names()) {
    const at::Tensor value = unwrap(*source->find(name, {})).clone();
    if (name.starts_with(kHeads)) {
      checkpoint.heads.emplace(name.substr(kHeads.size()), value);
    } else {
      checkpoint.moments.emplace(name, value);
    }
  }
  return checkpoint;
}

}  // namespace

void write_model(const ParameterStore& store, const std::string& model_files, const std::string& target) {
  ModelContent content;
  for (const auto& [name, parameter] : store.all()) {
    if (parameter.folder == kHeadFolder) continue;
    auto& tensors = parameter.folder.empty() ? content.weights : content.adapters[parameter.folder];
    tensors.emplace(parameter.name, on_host(parameter.value));
  }
  write_model_directory(model_files, target, content);
}

Checkpoints::Checkpoints(std::string folder) : folder_(std::move(folder)) {}

std::vector<std::string> Checkpoints::list() const {
  std::vector<std::string> paths;
  if (!fs::exists(folder_)) return paths;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name.starts_with(kPrefix) && name.find('.') == std::string::npos) {
      paths.push_back(entry.path().string());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

std::string Checkpoints::write(const TrainingState& state, const ParameterStore& store, const AdamW& optimiser,
                               const std::string& model_files, int64_t keep) {
  const std::string path = fmt::format("{}/{}{:08}", folder_, kPrefix, state.overall);
  AtomicDirectory directory(path);
  write_model(store, model_files, directory.part() + "/model");
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, value] : optimiser.moments()) tensors.emplace(name, on_host(value));
  for (const auto& [name, parameter] : store.all()) {
    if (parameter.folder == kHeadFolder)
      tensors.emplace(std::string(kHeads) + parameter.name, on_host(parameter.value));
  }
  write_safetensors(directory.file("training.safetensors"), tensors);
  const std::string text = state_text(state, optimiser.steps(), directory.part());
  AtomicFile file(directory.file("state.json"));
  file.write(text);
  file.commit();
  directory.commit();
  std::vector<std::string> all = list();
  while (static_cast<int64_t>(all.size()) > std::max<int64_t>(1, keep)) {
    fs::remove_all(all.front());
    all.erase(all.begin());
  }
  return path;
}

std::optional<Checkpoint> Checkpoints::newest(const std::function<void(const std::string&)>& notice) const {
  std::vector<std::string> all = list();
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    try {
      return read_checkpoint(*path);
    } catch (const Error& error) {
      notice(fmt::format("checkpoint {} is damaged and passed over: {}", *path, error.what()));
    }
  }
  return std::nullopt;
}

}  // namespace jina
