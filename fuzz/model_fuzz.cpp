// room: models
// Any bytes as config.json: a model that computes, or an Error.
#include <cstdint>
#include <cstdlib>

#include "models/encoder.h"
#include "ops/cpu/cpu_backend.h"
#include "support/temporary_directory.h"

namespace {

/// Tensors of any name, as long as they are small; a larger one is an Error, so that no run takes long.
class SmallTensors final : public jina::WeightSource {
 public:
  std::optional<jina::Tensor> find(const std::string& name, const jina::Shape& shape) override {
    int64_t elements = 1;
    for (int i = 0; i < shape.rank(); ++i) {
      const bool is_small =
          shape[i] >= 0 && !__builtin_mul_overflow(elements, shape[i], &elements) && elements <= kMostElements;
      if (!is_small) jina::fail(jina::ErrorKind::kModelFile, where_, "{}: too large for this test", name);
    }
    if (++tensors_ > kMostTensors) jina::fail(jina::ErrorKind::kModelFile, where_, "too many tensors for this test");
    return jina::make_tensor(jina::DType::kF32, shape);
  }
  std::vector<std::string> names() const override { return {}; }
  const std::string& where() const override { return where_; }
  void release(const jina::Tensor&) override {}

 private:
  static constexpr int64_t kMostElements = 1 << 14;
  static constexpr int kMostTensors = 200;
  std::string where_ = "small tensors";
  int tensors_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const jina::test::TemporaryDirectory folder;
  static const auto backend = jina::make_cpu_backend({.threads = 1});
  try {
    folder.write("config.json", {reinterpret_cast<const char*>(data), size});
    const auto directory = jina::ModelDirectory::open(folder.path());
    const jina::Model model = jina::build_model({directory, std::make_shared<SmallTensors>(), *backend});
    if (model.card.max_tokens < 1 || model.card.dimensions < 1) std::abort();
    jina::TokenBatch batch;
    batch.layout.append(1);
    batch.ids = {0};
    batch.adapters.by_row = {jina::kNoAdapter};
    const jina::Tensor hidden = model.encoder->forward(batch, nullptr);
    if (hidden.shape() != jina::Shape{1, model.card.dimensions}) std::abort();
  } catch (const jina::Error&) {
  }
  return 0;
}
