#pragma once

#include <memory>
#include <string>

#include "jina/types.h"
#include "models/encoder.h"
#include "ops/backend.h"
#include "text/tokenizer.h"

namespace jina {

/// A model ready to run. The encoder's prepared weights belong to the backend, which therefore stands before it.
struct LoadedModel {
  std::unique_ptr<Backend> backend;
  ModelCard card;
  std::unique_ptr<Encoder> encoder;
  std::unique_ptr<Tokenizer> tokenizer;  // null when opened without (random weights)
};

/// cuda, cuda:N or cpu. Error kInvalidArgument for another word.
bool is_cuda_device(const std::string& device);

/// bf16 or f32 on this device, and the number of threads, with the automatic choices made.
DType resolve_precision(Precision precision, const std::string& device);
int resolve_threads(int threads);

/// Opens a Hugging Face model directory. Errors: kNotFound, kModelFile (also when the tokenizer belongs to another
/// model), kUnsupported.
std::shared_ptr<LoadedModel> load_model(const std::string& directory, const OpenOptions& options);

/// The shape that `directory`'s config.json describes with random weights and no tokenizer, for measuring.
std::shared_ptr<LoadedModel> load_random_model(const std::string& directory, const OpenOptions& options);

}  // namespace jina
