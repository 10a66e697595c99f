#include <gtest/gtest.h>

#include <algorithm>

#include "models/encoder.h"
#include "ops/cpu/cpu_backend.h"
#include "support/golden.h"
#include "support/tolerance.h"
#include "weights/safetensors.h"

namespace jina {
namespace {

using test::max_difference;

struct LayerFile {
  const char* model;
  const char* layers;
};

/// The hidden states of every layer as tools/reference/layers.py wrote them, in float64 of its own: a wrong layer shows
/// here by name, not as a wrong vector at the end.
class EveryLayer : public testing::TestWithParam<LayerFile> {
 protected:
  static std::string golden(const std::string& name) { return std::string(JINA_SOURCE_DIR) + "/tests/golden/" + name; }

  const std::string directory = golden(std::string("models/") + GetParam().model + "/model");
  const ModelDirectory files = ModelDirectory::open(directory);
  const std::unique_ptr<Backend> backend = make_cpu_backend({.threads = 2});
  const Model model = build_model({files, open_safetensors(directory), *backend});
  const std::shared_ptr<WeightSource> reference =
      open_safetensors_file(golden(std::string("layers/") + GetParam().layers + ".safetensors"));

  /// "<task or none>/<text>" names an adapter, "<text>" alone means the base weights.
  int32_t adapter_of(const std::string& name) const {
    const std::string task = name.substr(0, name.find('/'));
    const auto found = std::ranges::find(model.card.tasks, task, &TaskInfo::name);
    return found == model.card.tasks.end() ? kNoAdapter : found->adapter;
  }

  /// Everything that one text, alone in its pass, leaves in the capture.
  Capture run(const std::string& name, int32_t adapter) const {
    const Tensor ids = *reference->find(name + "/ids", {});
    TokenBatch batch;
    batch.layout.append(ids.rows());
    batch.ids.assign(ids.data<int32_t>(), ids.data<int32_t>() + ids.rows());
    batch.adapters.by_row = {adapter};
    Capture capture;
    model.encoder->forward(batch, &capture);
    return capture;
  }

  /// Names of all texts of the file.
  std::vector<std::string> cases() const {
    constexpr std::string_view kSuffix = "/ids";
    std::vector<std::string> found;
    for (const std::string& name : reference->names()) {
      if (name.ends_with(kSuffix)) found.push_back(name.substr(0, name.size() - kSuffix.size()));
    }
    return found;
  }

  double difference(const std::string& name, const Capture& capture, const std::string& layer) const {
    const auto expected = reference->find(name + "/" + layer, {});
    if (!expected) return std::numeric_limits<double>::infinity();
    return max_difference(capture.values().at(layer).span<float>(), expected->span<float>());
  }
};

TEST_P(EveryLayer, EqualsTheReference) {
  ASSERT_GE(cases().size(), 3U);
  for (const std::string& name : cases()) {
    const Capture capture = run(name, adapter_of(name));
    EXPECT_EQ(capture.values().size(), static_cast<size_t>(model.card.layers) + 1) << name;
    for (const auto& [layer, value] : capture.values()) {
      EXPECT_LE(difference(name, capture, layer), test::kHiddenTolerance) << name << " " << layer;
    }
  }
}

class EveryLayerOfTasks : public EveryLayer {};

TEST_P(EveryLayerOfTasks, AnotherAdapterDiffersFromTheEmbeddingsOn) {
  for (const std::string& name : cases()) {
    const int32_t wrong = adapter_of(name) == 0 ? 1 : 0;
    const Capture capture = run(name, wrong);
    for (const auto& [layer, value] : capture.values()) {
      EXPECT_GT(difference(name, capture, layer), 10 * test::kHiddenTolerance) << name << " " << layer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, EveryLayer,
                         testing::Values(LayerFile{"bert-tiny-mean", "bert-tiny-mean"},
                                         LayerFile{"bert-tiny-cls", "bert-tiny-cls"},
                                         LayerFile{"v2-small-8h", "v2-small-8h"},
                                         LayerFile{"v2-base-12h", "v2-base-12h"},
                                         LayerFile{"v2-code-6h", "v2-code-6h"}));

constexpr LayerFile kTaskFiles[] = {
    {"v3-tiny", "v3-tiny"}, {"v3-tiny-bf16", "v3-tiny-bf16"}, {"v3-tiny-native", "v3-tiny"}};
INSTANTIATE_TEST_SUITE_P(Tasks, EveryLayer, testing::ValuesIn(kTaskFiles));
INSTANTIATE_TEST_SUITE_P(Tasks, EveryLayerOfTasks, testing::ValuesIn(kTaskFiles));

}  // namespace
}  // namespace jina
