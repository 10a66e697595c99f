#include "training/initialise_heads.h"

#include <ATen/ATen.h>

#include "models/encoder.h"
#include "ops/cpu/cpu_backend.h"
#include "ops/torch/torch_tensor.h"
#include "support/embedding.h"
#include "support/expect_error.h"
#include "support/golden.h"
#include "text/tokenizer.h"
#include "weights/tensor_source.h"

namespace jina {
namespace {

const std::vector<std::string> kTexts = {
    "A man is playing a guitar on the street.", "Two dogs run across the green field.",
    "The stock market fell sharply on Monday.", "How do I save electricity at home?",
    "She cooked dinner for her whole family.",  "The committee will meet again next week.",
};

class AlignHeads : public testing::Test {
 protected:
  AlignHeads() : from_(ModelDirectory::open(test::tiny_model("bert-tiny-mean"))), encoder_(read_encoder(from_)) {
    drop_positions(encoder_, from_);
  }

  /// Hidden states without any positions. → (tokens, hidden)
  Tensor forward(const EncoderTensors& encoder, const std::string& text) const {
    const auto backend = make_cpu_backend({});
    const Model model =
        build_model({from_, make_tensor_source(positionless_weights(encoder, from_), "aligned"), *backend});
    TokenBatch batch;
    batch.ids = Tokenizer::load(from_.file("tokenizer.json")).encode(text).ids;
    batch.layout.append(static_cast<int64_t>(batch.ids.size()));
    batch.adapters.by_row = {kNoAdapter};
    return model.encoder->forward(batch, nullptr);
  }

  /// E[q q'] of one head. → (width, width)
  static at::Tensor covariance(const AffineTensors& map, const at::Tensor& moment, int64_t head, int64_t width) {
    const at::Tensor whole =
        at::cat({unwrap(map.weight).to(at::kDouble), unwrap(map.bias).to(at::kDouble).unsqueeze(1)}, 1);
    const at::Tensor part = whole.narrow(0, head * width, width);
    return at::mm(at::mm(part, moment), part.t());
  }

  ModelDirectory from_;
  EncoderTensors encoder_;
};

TEST_F(AlignHeads, ScoresWithoutPositionsStayAndEnergyGoesToSlowPairs) {
  const InputMoments moments = input_moments(encoder_, from_, kTexts, 256);
  ASSERT_EQ(moments.size(), 2u);
  EncoderTensors aligned = encoder_;
  const HeadEnergy energy = align_heads(aligned, 4, moments);
  EXPECT_GT(energy.slow_after, energy.slow_before);
  EXPECT_GT(energy.slow_after, 0.8);
  for (const char* text : {"Nobody has seen this text before!", "x"}) {
    const Tensor before = forward(encoder_, text);
    const Tensor after = forward(aligned, text);
    EXPECT_LE(test::max_difference(before.span<float>(), after.span<float>()), 2e-5) << text;
  }
  EXPECT_GT(
      test::max_difference(encoder_.layers[0].query.weight.span<float>(), aligned.layers[0].query.weight.span<float>()),
      1e-3)
      << "and yet the weights are others";
}

TEST_F(AlignHeads, CovariancesBecomeTheSameDiagonalStrongestInTheSlowestPair) {
  const InputMoments moments = input_moments(encoder_, from_, kTexts, 256);
  align_heads(encoder_, 4, moments);
  constexpr int64_t kWidth = 12;
  for (int64_t head = 0; head < 4; ++head) {
    const at::Tensor cq = covariance(encoder_.layers[1].query, moments[1], head, kWidth);
    const at::Tensor ck = covariance(encoder_.layers[1].key, moments[1], head, kWidth);
    const double scale = cq.diagonal().max().item<double>();
    EXPECT_LT((cq - ck).abs().max().item<double>(), 1e-4 * scale);
    EXPECT_LT((cq - cq.diagonal().diag()).abs().max().item<double>(), 1e-4 * scale);
    const at::Tensor strength = cq.diagonal();
    for (int64_t pair = 0; pair + 1 < kWidth / 2; ++pair) {
      EXPECT_LE(strength[pair].item<double>(), strength[pair + 1].item<double>() + 1e-6 * scale);
      EXPECT_LE(strength[pair].item<double>(), strength[pair + kWidth / 2 + 1].item<double>() + 1e-6 * scale);
    }
  }
}

TEST_F(AlignHeads, MomentsAreMeansOverTokens) {
  const InputMoments once = input_moments(encoder_, from_, {kTexts[0]}, 256);
  const InputMoments thrice = input_moments(encoder_, from_, {kTexts[0], kTexts[0], kTexts[0]}, 256);
  for (size_t layer = 0; layer < once.size(); ++layer) {
    EXPECT_LT((once[layer] - thrice[layer]).abs().max().item<double>(), 1e-5);
    EXPECT_NEAR(once[layer][48][48].item<double>(), 1, 1e-12) << "the 1 behind x";
    EXPECT_LT((once[layer] - once[layer].t()).abs().max().item<double>(), 1e-12);
  }
  test::expect_error(ErrorKind::kInvalidInput, "no texts", [&] { input_moments(encoder_, from_, {}, 256); });
}

TEST_F(AlignHeads, SurvivesADeadHead) {
  const InputMoments moments = input_moments(encoder_, from_, kTexts, 256);
  encoder_.layers[0].query = {make_tensor(DType::kF32, {48, 48}), make_tensor(DType::kF32, {48})};
  const Tensor before = forward(encoder_, "still here");
  align_heads(encoder_, 4, moments);
  const Tensor after = forward(encoder_, "still here");
  EXPECT_LE(test::max_difference(before.span<float>(), after.span<float>()), 2e-5);
}

}  // namespace
}  // namespace jina
