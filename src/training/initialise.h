#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "training/initialise_heads.h"
#include "training/recipe.h"

namespace jina {

/// What initialise_model did, for the log of the run.
struct InitialiseReport {
  int64_t parameters = 0;  ///< values in all tensors of the base model
  int64_t texts = 0;       ///< that aligned the heads
  std::optional<HeadEnergy> heads{};
};

/// Makes the first model directory of a run at `target` (whole or not at all) as the recipe says:
///   kCheckpoint: what `from` holds, a family's older layout rewritten with an adapter folder per task;
///   kRandom: the shape of `from`'s config.json (which needs a tokenizer.json beside it, but no weights), without
///     adapters: matrices normal with deviation 0.02, norms 1, biases 0, the row of the padding token 0;
///   kRotary, kAlibi: `from`'s encoder with its absolute positions replaced.
/// `texts` align the heads of kRotary (recipe.align_heads; the first recipe.align_texts are taken).
/// Errors: kNotFound, kModelFile; kUnsupported when `from` is not of a kind that can be remade; kInvalidInput.
InitialiseReport initialise_model(const ModelRecipe& recipe, uint64_t seed, const std::string& target,
                                  const std::vector<std::string>& texts);

/// The adapters that a stage asks for.
struct AdapterRecipe {
  std::vector<std::string> tasks;
  int64_t rank = 4;
  double alpha = 1;
  uint64_t seed = 1;
};

/// Makes an adapter folder, as PEFT saves and starts them, for each task that has none in a model directory, and names
/// all tasks with their instructions in its config.json and config_sentence_transformers.json. As in the published
/// checkpoint (not only the attention of its paper) the word and token-type embeddings and all linear layers are
/// adapted. A new adapter changes nothing yet: linear A uniform in +-1/sqrt(in) (Kaiming with a = sqrt(5)), B 0;
/// embedding A 0, B standard normal. → the tasks that got one. Errors: kUnsupported when the family has no adapters.
std::vector<std::string> create_adapters(const std::string& directory, const AdapterRecipe& recipe);

}  // namespace jina
