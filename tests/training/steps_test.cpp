#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ops/torch/torch_tensor.h"
#include "support/golden.h"
#include "training/gradients.h"
#include "training/heads.h"
#include "training/optimiser.h"
#include "training/schedule.h"
#include "weights/safetensors.h"

// Twenty optimiser steps against PyTorch (tools/reference/training_steps.py).
namespace jina {
namespace {

constexpr int64_t kSteps = 20;
constexpr int64_t kRows = 4;
constexpr double kTolerance = 1e-5;  // relative, of losses, gradient norms and trained tensors

const std::string kModel = std::string(JINA_SOURCE_DIR) + "/tests/golden/models/v3-tiny-native/model";

OptimiserRecipe recipe() {
  return {.learning_rate = 1e-3, .schedule = Schedule::kLinear, .warmup = 4, .final_share = 0.1};
}

/// The inputs and results of one run of the reference.
class Reference {
 public:
  explicit Reference(const std::string& name)
      : source_(open_safetensors_file(std::string(JINA_SOURCE_DIR) + "/tests/golden/training/steps-" + name +
                                      ".safetensors")) {}

  at::Tensor get(const std::string& name) const { return unwrap(*source_->find(name, {})).clone(); }
  double number(const std::string& name, int64_t step) const { return get(name)[step].item<double>(); }
  std::vector<std::string> names(const std::string& prefix) const {
    std::vector<std::string> result;
    for (const std::string& name : source_->names()) {
      if (name.starts_with(prefix)) result.push_back(name.substr(prefix.size()));
    }
    return result;
  }
  /// Texts of a step; the ids stay in `ids`.
  TextBatch texts(int64_t step, const std::vector<int32_t>& adapters, at::Tensor& ids) const {
    ids = get("step." + std::to_string(step) + ".ids");
    const at::Tensor lengths = get("step." + std::to_string(step) + ".lengths");
    TextBatch batch;
    const int32_t* at = ids.data_ptr<int32_t>();
    for (int64_t text = 0; text < lengths.size(0); ++text) {
      const auto length = static_cast<size_t>(lengths[text].item<int32_t>());
      batch.ids.emplace_back(at, length);
      batch.adapters.push_back(adapters[static_cast<size_t>(text)]);
      at += length;
    }
    return batch;
  }

 private:
  std::shared_ptr<WeightSource> source_;
};

void expect_close(double actual, double expected, const std::string& what) {
  EXPECT_NEAR(actual, expected, kTolerance * std::abs(expected)) << what;
}

/// Trained tensors relative to their size.
void expect_same_weights(const ParameterStore& store, const Reference& reference) {
  const std::vector<std::string> names = reference.names("end/");
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const at::Tensor expected = reference.get("end/" + name);
    ASSERT_TRUE(store.all().contains(name)) << name;
    const at::Tensor actual = store.all().at(name).value.detach();
    const auto off = (actual - expected).norm().item<double>() / expected.norm().item<double>();
    EXPECT_LT(off, kTolerance) << name;
  }
  EXPECT_EQ(store.trained().size(), names.size());
}

struct Trained {
  ParameterStore store{at::kCPU};
  std::unique_ptr<Student> student;
  std::unique_ptr<AdamW> optimiser;

  /// Loads the model, lets `more` add leaves, and begins.
  Trained(const std::vector<std::string>& patterns, const TorchOptions& options,
          const std::function<void(ParameterStore&)>& more) {
    { const Student loading(kModel, store, options); }
    more(store);
    store.train(patterns, {});
    student = std::make_unique<Student>(kModel, store, options);
    optimiser = std::make_unique<AdamW>(store.trained(), recipe());
  }
};

void run_lora(const TorchOptions& torch, int64_t chunk_tokens) {
  const Reference reference("lora");
  Trained run({"retrieval_query/*", "retrieval_passage/*"}, torch, [](ParameterStore& /*none*/) {});
  const std::unique_ptr<Communicator> ranks = make_single_communicator();
  const LossRecipe loss{.name = "info_nce", .temperature = 0.05};
  for (int64_t step = 0; step < kSteps; ++step) {
    at::Tensor ids;
    const StepTexts texts{.batch = reference.texts(step, {0, 0, 0, 0, 1, 1, 1, 1}, ids),
                          .rows = kRows,
                          .positives = kRows,
                          .negatives = 0};
    run.optimiser->clear_gradients();
    const StepLoss value = add_gradients(*run.student, texts, {}, {{&find_loss("info_nce"), loss, {}}}, {},
                                         {.chunk_tokens = chunk_tokens}, *ranks);
    expect_close(value.total, reference.number("losses", step), "loss of step " + std::to_string(step));
    expect_close(run.optimiser->clip_gradients(), reference.number("norms", step),
                 "gradient norm of step " + std::to_string(step));
    run.optimiser->step(schedule_factor(recipe(), step, kSteps));
  }
  expect_same_weights(run.store, reference);
}

void run_mlm(const TorchOptions& torch, int64_t chunk_tokens) {
  const Reference reference("mlm");
  std::unique_ptr<WordHead> head;
  Trained run({"*"}, torch, [&](ParameterStore& store) {
    head = std::make_unique<WordHead>(store, 1199, 1);
    for (const std::string& name : reference.names("start/")) {
      store.all().at("head/" + name).value.copy_(reference.get("start/" + name));
    }
  });
  const std::unique_ptr<Communicator> ranks = make_single_communicator();
  const GradientHooks hooks{.word_logits = [&](const at::Tensor& states) { return (*head)(states, at::kFloat); }};
  for (int64_t step = 0; step < kSteps; ++step) {
    at::Tensor ids;
    const StepTexts texts{.batch = reference.texts(step, std::vector<int32_t>(kRows, kNoAdapter), ids),
                          .rows = kRows,
                          .positives = 0,
                          .negatives = 0};
    StepTargets targets;
    const at::Tensor places = reference.get("step." + std::to_string(step) + ".places");
    for (int64_t i = 0; i < places.size(0); ++i) targets.places.push_back(places[i].item<int32_t>());
    targets.words = reference.get("step." + std::to_string(step) + ".words").to(at::kLong);
    run.optimiser->clear_gradients();
    const StepLoss value =
        add_gradients(*run.student, texts, targets, {}, hooks, {.chunk_tokens = chunk_tokens}, *ranks);
    expect_close(value.total, reference.number("losses", step), "loss of step " + std::to_string(step));
    expect_close(run.optimiser->clip_gradients(), reference.number("norms", step),
                 "gradient norm of step " + std::to_string(step));
    run.optimiser->step(schedule_factor(recipe(), step, kSteps));
  }
  expect_same_weights(run.store, reference);
}

const TorchOptions kPlain{.compute = DType::kF32, .is_training = true};
const TorchOptions kCheckpointing{.compute = DType::kF32, .is_training = true, .is_checkpointing = true};

TEST(TwentySteps, OfTwoAdaptersTrainedJointlyEqualPyTorch) { run_lora(kPlain, 0); }
TEST(TwentySteps, OfTwoAdaptersInChunksEqualPyTorch) { run_lora(kPlain, 20); }
TEST(TwentySteps, OfTwoAdaptersWithRecomputedLayersEqualPyTorch) { run_lora(kCheckpointing, 0); }
TEST(TwentySteps, OfMaskedWordsEqualPyTorch) { run_mlm(kPlain, 0); }
TEST(TwentySteps, OfMaskedWordsInChunksWithRecomputedLayersEqualPyTorch) { run_mlm(kCheckpointing, 16); }

}  // namespace
}  // namespace jina
