#include "embedding/loader.h"

#include <charconv>

#include "ops/cpu/cpu_backend.h"
#include "ops/torch_library.h"
#include "weights/initialiser.h"
#include "weights/safetensors.h"

namespace jina {

namespace {

std::unique_ptr<Backend> make_backend(const OpenOptions& options) {
  const int threads = resolve_threads(options.threads);
  const DType compute = resolve_precision(options.precision, options.device);
  if (is_cuda_device(options.device)) {
    return TorchLibrary::load(TorchLibrary::program_folder())
        .make_backend({.device = options.device, .compute = compute, .threads = threads});
  }
  return make_cpu_backend({
      .threads = threads,
      .compute = compute,
      .policy = options.map_weights ? PreparePolicy::kMapped : PreparePolicy::kPacked,
  });
}

std::shared_ptr<LoadedModel> build(const ModelDirectory& directory, std::shared_ptr<WeightSource> weights,
                                   const OpenOptions& options) {
  auto loaded = std::make_shared<LoadedModel>();
  loaded->backend = make_backend(options);
  Model model = build_model({directory, std::move(weights), *loaded->backend});
  loaded->card = std::move(model.card);
  loaded->encoder = std::move(model.encoder);
  return loaded;
}

}  // namespace

DType resolve_precision(Precision precision, const std::string& device) {
  if (precision == Precision::kF32) return DType::kF32;
  if (precision == Precision::kBF16) return DType::kBF16;
  return is_cuda_device(device) || has_fast_bf16() ? DType::kBF16 : DType::kF32;
}

bool is_cuda_device(const std::string& device) {
  if (device == "cpu" || device == "cuda") return device == "cuda";
  constexpr std::string_view kPrefix = "cuda:";
  if (device.starts_with(kPrefix)) {
    int8_t index = 0;  // as wide as libtorch's
    const char* const end = device.data() + device.size();
    const auto [rest, error] = std::from_chars(device.data() + kPrefix.size(), end, index);
    if (error == std::errc() && rest == end && index >= 0) return true;
  }
  fail(ErrorKind::kInvalidArgument, "device", "unknown device '{}'; expected cpu, cuda or cuda:N", device);
}

int resolve_threads(int threads) {
  if (threads < 0) fail(ErrorKind::kInvalidArgument, "threads", "expected 0 (all) or more, found {}", threads);
  return threads == 0 ? available_processors() : threads;
}

std::shared_ptr<LoadedModel> load_model(const std::string& path, const OpenOptions& options) {
  const ModelDirectory directory = ModelDirectory::open(path);
  auto loaded = build(directory, open_safetensors(path), options);
  const std::string tokenizer_path = directory.file("tokenizer.json");
  loaded->tokenizer = std::make_unique<Tokenizer>(Tokenizer::load(tokenizer_path));
  if (loaded->tokenizer->vocab_size() > loaded->card.vocabulary) {
    fail(ErrorKind::kModelFile, tokenizer_path,
         "the tokenizer of another model? It has ids up to {}, the model's word table has {} rows",
         loaded->tokenizer->vocab_size() - 1, loaded->card.vocabulary);
  }
  return loaded;
}

std::shared_ptr<LoadedModel> load_random_model(const std::string& path, const OpenOptions& options) {
  constexpr uint64_t kSeed = 1;
  constexpr float kDeviation = 0.02F;  // as the published models were initialised
  return build(ModelDirectory::open(path), make_initialiser(kSeed, kDeviation, DType::kF32), options);
}

}  // namespace jina
