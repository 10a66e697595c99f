#include "training/losses/masked_token.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

at::Tensor naive_loss(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1);
  return (logits.exp().sum(1).log() - chosen).mean();
}

TEST(MaskedToken, EqualsTheDefinitionInValueAndGradient) {
  const at::Tensor logits = random_tensor(1, {6, 11}).set_requires_grad(true);
  const at::Tensor again = logits.detach().clone().set_requires_grad(true);
  const at::Tensor targets = random_classes(1, {6}, 11);
  const at::Tensor value = masked_token_loss(logits, targets), expected = naive_loss(again, targets);
  EXPECT_NEAR(value.item<double>(), expected.item<double>(), 1e-12);
  value.backward();
  expected.backward();
  EXPECT_LE(max_difference(logits.grad(), again.grad()), 1e-12);
  EXPECT_GT(logits.grad().abs().max().item<double>(), 1e-3);
}

TEST(MaskedToken, EqualLogitsGiveTheLogarithmOfTheVocabulary) {
  EXPECT_NEAR(masked_token_loss(at::zeros({3, 1000}), at::zeros({3}, at::kLong)).item<double>(), std::log(1000), 1e-5);
}

TEST(MaskedToken, Bf16IsLiftedBeforeTheSoftmax) {
  const at::Tensor logits = (10 * random_tensor(1, {4, 300})).to(at::kBFloat16);
  const at::Tensor targets = random_classes(1, {4}, 300);
  const at::Tensor value = masked_token_loss(logits, targets);
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_NEAR(value.item<double>(), naive_loss(logits.to(at::kDouble), targets).item<double>(), 1e-4);
}

TEST(MaskedToken, NothingMaskedIsZeroAndHasAGradient) {
  const at::Tensor logits = at::empty({0, 7}).set_requires_grad(true);
  const at::Tensor value = masked_token_loss(logits, at::empty({0}, at::kLong));
  EXPECT_EQ(value.item<double>(), 0);
  value.backward();
  EXPECT_EQ(logits.grad().numel(), 0);
}

TEST(MaskedToken, WantsATargetForEachPosition) {
  expect_error(ErrorKind::kInternal, "masked_token.cpp", [] {
    masked_token_loss(at::zeros({3, 5}), at::zeros({2}, at::kLong));
  });
}

}  // namespace
}  // namespace jina::test
