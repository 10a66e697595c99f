// room: weights
// Any bytes as each of the JSON files beside the weights: they are read or give an Error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "weights/peft.h"
#include "weights/sentence_config.h"

namespace {

using jina::Json;

template <typename Read>  // a function of Json
void attempt(const Json& config, Read read) {
  try {
    read(config);
  } catch (const jina::Error&) {
  }
}

void check_pooling(const Json& config) {
  const std::string pooling = jina::pooling_of(config);
  if (pooling != "mean" && pooling != "cls" && pooling != "last") std::abort();
}

void check_modules(const Json& list) {
  const auto folder = jina::modules_of(list).pooling_folder;
  if (folder && (folder->starts_with('/') || folder->starts_with("../"))) std::abort();
}

void check_lengths(const Json& config) {
  if (jina::max_sequence_length_of(config).value_or(1) <= 0) std::abort();
  if (jina::tokenizer_max_length_of(config).value_or(1) <= 0) std::abort();
}

void check_adapter(const Json& config) {
  if (jina::peft_config_of(config).rank <= 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto document = jina::JsonDocument::parse(text, "input", jina::ErrorKind::kModelFile);
    attempt(document.root(), check_pooling);
    attempt(document.root(), check_modules);
    attempt(document.root(), check_lengths);
    attempt(document.root(), check_adapter);
    attempt(document.root(), jina::prompts_of);
  } catch (const jina::Error&) {
  }
  return 0;
}
