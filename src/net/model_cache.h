#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jina {

/// Where models lie on this machine.
struct ModelStores {
  std::string models_dir;     ///< ours: {cache_dir}/models
  std::string hub_cache_dir;  ///< of the Hugging Face tools, read as it lies; empty: none
};

enum class ModelOrigin : uint8_t {
  kPulled,    ///< by `jina pull`: has a manifest, or is incomplete
  kPlaced,    ///< a plain directory that someone put into models_dir under a bare name
  kHubCache,  ///< a snapshot in the hub cache
};

struct StoredModel {
  std::string name;      ///< "ORG/NAME", or the bare directory name
  std::string revision;  ///< as asked for when pulled ("main", a tag, a commit); empty for placed ones
  std::string commit;    ///< empty when not known
  std::string directory;
  int64_t bytes = 0;  ///< on disk, parts of a cut pull included
  bool is_complete = false;
  ModelOrigin origin = ModelOrigin::kPulled;

  /// What `locate_model` and `remove_model` take: "ORG/NAME" or "ORG/NAME@REVISION", or the bare name.
  std::string text() const;
};

/// All models of the stores, by name; ours before the hub cache. Absent directories hold no models.
std::vector<StoredModel> list_models(const ModelStores& stores);

/// The directory of a model, by the first of these that fits `name`: an existing directory; ORG/NAME[@REVISION] pulled
/// (a revision is what was asked for, or the commit or its first 7 or more digits); the same in the hub cache; a bare
/// NAME that fits exactly one complete model. Errors: kNotFound, saying how to get it; kInvalidArgument when a bare
/// name fits several; kModelFile when the model is here only in part.
std::string locate_model(const std::string& name, const ModelStores& stores);

struct RemovedModel {
  std::string text;
  std::string directory;
  int64_t bytes = 0;  ///< freed on disk
};

/// Removes a model of models_dir, complete or not; a bare NAME may name it as in locate_model. Errors: kNotFound,
/// kInvalidArgument (several fit; or it lies in the hub cache, which is not ours), kIo.
RemovedModel remove_model(const std::string& name, const ModelStores& stores);

}  // namespace jina
