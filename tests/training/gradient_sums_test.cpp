#include "training/gradient_sums.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdlib>
#include <memory>

#include "base/rng.h"
#include "ops/torch/torch_tensor.h"
#include "training/gradients.h"
#include "training/heads.h"

// Processes of one run: CMake starts these tests twice under mpirun (training.ranks).
namespace jina {
namespace {

const std::string kModel = std::string(JINA_SOURCE_DIR) + "/tests/golden/models/v3-tiny-native/model";
constexpr int64_t kRows = 6;  // of all ranks

/// MPI begins and ends once in a process.
struct Launched : testing::Environment {
  void SetUp() override {
    if (std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) ranks = make_mpi_communicator({.timeout = 60});
  }
  void TearDown() override { ranks.reset(); }
  std::unique_ptr<Communicator> ranks;
};
auto* const kLaunched =
    static_cast<Launched*>(testing::AddGlobalTestEnvironment(std::make_unique<Launched>().release()));

class RanksGradientSums : public testing::Test {
 protected:
  void SetUp() override {
    if (!kLaunched->ranks) GTEST_SKIP() << "not started by mpirun";
    ranks_ = kLaunched->ranks.get();
    ASSERT_EQ(ranks_->size(), 2);
    at::set_num_threads(1);
  }
  double rank() const { return ranks_->rank(); }

  Communicator* ranks_ = nullptr;
};

at::Tensor leaf(at::IntArrayRef sizes) { return at::ones(sizes).set_requires_grad(true); }

void clear(const std::vector<at::Tensor>& leaves) {
  for (const at::Tensor& each : leaves) each.mutable_grad().reset();
}

void expect_all(const at::Tensor& leaf, double value) {
  ASSERT_TRUE(leaf.grad().defined());
  EXPECT_TRUE(at::equal(leaf.grad(), at::full_like(leaf, value))) << leaf.grad();
}

TEST_F(RanksGradientSums, BeginBeforeTheBackwardPassEndsFromTheSecondStepOn) {
  const at::Tensor early = leaf({3}), large = leaf({600, 1000}), other = leaf({2, 2});
  GradientSums sums({early, large, other}, *ranks_);
  EXPECT_EQ(sums.buckets(), 2U);
  for (int step = 0; step < 3; ++step) {
    clear({early, large, other});
    sums.begin();
    torch::autograd::backward({(early.sum() + large.sum() * 2 + other.sum() * 3) * (1 + rank())});
    EXPECT_EQ(sums.started(), step == 0 ? 0U : 2U);
    sums.finish();
    expect_all(early, 3);
    expect_all(large, 6);
    expect_all(other, 9);
  }
}

TEST_F(RanksGradientSums, LeafWithoutAGradientOnOneRankCountsAsZeros) {
  const at::Tensor both = leaf({400, 1000}), one = leaf({2}), none = leaf({5});
  GradientSums sums({both, one, none}, *ranks_);
  for (int step = 0; step < 4; ++step) {
    clear({both, one, none});
    const bool has_one = ranks_->rank() == step % 2;
    sums.begin();
    torch::autograd::backward({has_one ? both.sum() + one.sum() : both.sum()});
    sums.finish();
    expect_all(both, 2);
    expect_all(one, 1);
    expect_all(none, 0);
  }
}

TEST_F(RanksGradientSums, EarlierBackwardPassesOfAStepCountAsWell) {
  const at::Tensor tied = leaf({4}), head = leaf({4});
  GradientSums sums({tied, head}, *ranks_);
  for (int step = 0; step < 3; ++step) {
    clear({tied, head});
    torch::autograd::backward({(tied * head).sum()});
    sums.begin();
    torch::autograd::backward({(tied * (10 + rank())).sum()});
    sums.finish();
    expect_all(tied, 23);
    expect_all(head, 2);
  }
}

// Gradients of a view, or of a sum, may be the very memory that the backward pass reads again later.
TEST_F(RanksGradientSums, DoNotDisturbWhatTheBackwardPassStillReads) {
  const at::Tensor first = leaf({600, 1000}), second = leaf({600, 1000});
  GradientSums sums({second, first}, *ranks_);
  for (int step = 0; step < 3; ++step) {
    clear({first, second});
    const at::Tensor inner = first * 2;
    sums.begin();
    torch::autograd::backward({((inner.view({-1}) + second.view({-1})) * (1 + rank())).sum()});
    sums.finish();
    expect_all(first, 6);
    expect_all(second, 3);
  }
}

TEST_F(RanksGradientSums, WaitForAllRecomputedLayersThatShareALeaf) {
  TorchBackend backend({.compute = DType::kF32, .is_training = true, .is_checkpointing = true});
  const at::Tensor shared = leaf({3}), own = leaf({3});
  GradientSums sums({shared, own}, *ranks_, 1);
  const auto layer = [&](Tensor x) { return wrap(unwrap(x) * shared); };
  for (int step = 0; step < 3; ++step) {
    clear({shared, own});
    Tensor x = wrap(own * (1 + rank()));
    for (int i = 0; i < 4; ++i) x = backend.run_layer(layer, std::move(x));
    sums.begin();
    torch::autograd::backward({unwrap(x).sum()});
    EXPECT_EQ(sums.started(), step == 0 ? 0U : 2U);
    sums.finish();
    expect_all(shared, 12);
    expect_all(own, 3);
  }
}

/// A model whose rows are split over ranks.
class Trained {
 public:
  Trained(const TorchOptions& options, const std::vector<std::string>& patterns, bool has_words) {
    { const Student loading(kModel, store_, options); }
    if (has_words) head_ = std::make_unique<WordHead>(store_, 1199, 1);
    store_.train(patterns, {});
    student_ = std::make_unique<Student>(kModel, store_, options);
  }

  std::vector<at::Tensor> leaves() const {
    std::vector<at::Tensor> leaves;
    for (const Parameter& parameter : store_.trained()) leaves.push_back(parameter.value);
    return leaves;
  }

  /// Sums that were on their way at the end of the last backward pass.
  size_t started() const { return started_; }

  /// Gradients of step `step` on rows [begin, end), which the ranks share; summed by `sums` when there are several.
  double add(int step, int64_t begin, int64_t end, int64_t chunk_tokens, Communicator& ranks, GradientSums* sums) {
    clear(leaves());
    StepTexts texts{.batch = {}, .rows = end - begin, .positives = head_ ? 0 : end - begin, .negatives = 0};
    StepTargets targets;
    std::vector<std::vector<int32_t>> ids;
    std::vector<int64_t> words;
    for (int64_t text = 0, tokens = 0; text < texts.rows + texts.positives; ++text) {
      const int64_t row = begin + text % texts.rows, role = text / texts.rows;
      const CounterRng random(static_cast<uint64_t>(step), "row" + std::to_string(row * 2 + role));
      std::vector<int32_t>& own = ids.emplace_back(5 + static_cast<size_t>(row % 4));
      for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<int32_t>(5 + random.bits(i) % 1000);
      targets.places.push_back(tokens + 2);
      words.push_back(own[2]);
      tokens += static_cast<int64_t>(own.size());
      texts.batch.adapters.push_back(head_ ? kNoAdapter : static_cast<int32_t>(role));
    }
    for (const auto& own : ids) texts.batch.ids.emplace_back(own);
    targets.words = at::tensor(words, at::kLong);
    GradientHooks hooks;
    std::vector<LossTerm> terms;
    if (head_) {
      hooks.word_logits = [this](const at::Tensor& states) { return (*head_)(states, at::kFloat); };
    } else {
      targets.places.clear();
      terms.push_back({&find_loss("info_nce"), {.name = "info_nce", .temperature = 0.05}, {}});
    }
    if (sums != nullptr) hooks.last_backward = [sums] { sums->begin(); };
    const StepLoss loss = add_gradients(*student_, texts, targets, terms, hooks, {.chunk_tokens = chunk_tokens}, ranks);
    if (sums != nullptr) {
      started_ = sums->started();
      sums->finish();
    }
    return loss.total;
  }

 private:
  ParameterStore store_{at::kCPU};
  std::unique_ptr<WordHead> head_;
  std::unique_ptr<Student> student_;
  size_t started_ = 0;
};

struct Case {
  const char* name;
  std::vector<std::string> patterns;
  bool has_words;
  bool is_checkpointing;
  int64_t chunk_tokens;
};

class RanksGradientSumsOfModels : public RanksGradientSums, public testing::WithParamInterface<Case> {};

TEST_P(RanksGradientSumsOfModels, EqualTheGradientsOfTheJoinedBatch) {
  const Case& form = GetParam();
  const TorchOptions options{.compute = DType::kF32, .is_training = true, .is_checkpointing = form.is_checkpointing};
  Trained own(options, form.patterns, form.has_words), joined(options, form.patterns, form.has_words);
  GradientSums sums(own.leaves(), *ranks_, 4096);
  EXPECT_GT(sums.buckets(), 1U);
  const std::unique_ptr<Communicator> single = make_single_communicator();
  // Rank 0 has more rows than rank 1, and more chunks.
  const int64_t begin = ranks_->rank() == 0 ? 0 : kRows - 2, end = ranks_->rank() == 0 ? kRows - 2 : kRows;
  std::vector<at::Tensor> first;
  for (int step = 0; step < 3; ++step) {
    const double loss = own.add(step, begin, end, form.chunk_tokens, *ranks_, &sums);
    const double expected_loss = joined.add(step, 0, kRows, 0, *single, nullptr);
    EXPECT_EQ(own.started() > 0, step > 0);
    EXPECT_NEAR(loss, expected_loss, 1e-5 * expected_loss);
    const std::vector<at::Tensor> leaves = own.leaves(), expected = joined.leaves();
    for (size_t i = 0; i < leaves.size(); ++i) {
      const at::Tensor reference = expected[i].grad().defined() ? expected[i].grad() : at::zeros_like(expected[i]);
      const double off = (leaves[i].grad() - reference).norm().item<double>();
      EXPECT_LE(off, 1e-5 * reference.norm().item<double>() + 1e-9) << "leaf " << i << ", step " << step;
      if (step == 0) first.push_back(leaves[i].grad());
    }
  }
  own.add(0, begin, end, form.chunk_tokens, *ranks_, &sums);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(at::equal(own.leaves()[i].grad(), first[i])) << "leaf " << i;
}

INSTANTIATE_TEST_SUITE_P(All, RanksGradientSumsOfModels,
                         testing::Values(Case{"Whole", {"*"}, false, false, 0}, Case{"Chunks", {"*"}, false, false, 20},
                                         Case{"RecomputedLayers", {"*"}, false, true, 0},
                                         Case{"RecomputedLayersInChunks", {"*"}, false, true, 20},
                                         Case{"Adapters", {"retrieval_query/*", "retrieval_passage/*"}, false, true, 0},
                                         Case{"MaskedWords", {"*"}, true, false, 0},
                                         Case{"MaskedWordsInChunksWithRecomputedLayers", {"*"}, true, true, 12}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace jina
