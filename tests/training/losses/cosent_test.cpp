#include "training/losses/cosent.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

/// All ordered pairs, as the definition has it.
at::Tensor naive_cosent(const at::Tensor& similarities, const at::Tensor& scores, double temperature) {
  const at::Tensor exponents = (similarities.unsqueeze(0) - similarities.unsqueeze(1)) / temperature;  // [i][j]: j - i
  const at::Tensor kept = exponents.masked_select(scores.unsqueeze(1) > scores.unsqueeze(0));
  return at::logsumexp(at::cat({kept, at::zeros({1}, at::kDouble)}), {0});
}

struct ValueAndGradient {
  double value;
  at::Tensor gradient;  // (rows)
};

template <typename Form>  // cosent_of or naive_cosent
ValueAndGradient differentiate(const Form& form, const at::Tensor& similarities, const at::Tensor& scores, double tau) {
  const at::Tensor leaf = similarities.detach().clone().set_requires_grad(true);
  const at::Tensor value = form(leaf, scores, tau);
  value.backward();
  return {value.item<double>(), leaf.grad()};
}

TEST(Cosent, EqualsTheGolden) {
  const auto [value, gradient] =
      differentiate(cosent_of, golden_list("cosent inputs s"), golden_list("cosent inputs y"), 0.05);
  EXPECT_NEAR(value, golden_value("cosent tau=0.05 (12 pairs)"), 1e-9);
  EXPECT_LE(max_difference(gradient, golden_list("grad cosent ds")), 1e-9);
}

TEST(Cosent, EqualsAllPairsWithManyTies) {
  const OneThread one_thread;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const at::Tensor similarities = random_tensor(seed, {41}).tanh();
    const at::Tensor scores = random_classes(seed, {41}, seed % 2 == 0 ? 4 : 1000).to(at::kDouble);
    for (const double tau : {0.02, 0.05, 1.0}) {
      const auto [expected, expected_gradient] = differentiate(naive_cosent, similarities, scores, tau);
      const auto [value, gradient] = differentiate(cosent_of, similarities, scores, tau);
      EXPECT_NEAR(value, expected, 1e-11);
      EXPECT_LE(max_difference(gradient, expected_gradient), 1e-11 / tau);
    }
  }
}

TEST(Cosent, StaysFiniteInSinglePrecision) {
  const at::Tensor similarities = at::linspace(1, -1, 64, at::kDouble);
  const at::Tensor scores = at::arange(64, at::kDouble);
  const at::Tensor leaf = similarities.to(at::kFloat).set_requires_grad(true);
  const at::Tensor value = cosent_of(leaf, scores, 0.02);
  value.backward();
  const auto [expected, expected_gradient] = differentiate(naive_cosent, similarities, scores, 0.02);
  EXPECT_GT(expected, 99.9);  // exponents of 100 overflow a plain sum in f32
  EXPECT_NEAR(value.item<double>(), expected, 1e-4 * expected);
  EXPECT_LE(max_difference(leaf.grad(), expected_gradient), 1e-4 * expected_gradient.abs().max().item<double>());
}

TEST(Cosent, CountsThePairsOfALargeBatch) {
  constexpr int64_t kRows = 20000;  // all pairs would be 3 GB
  const at::Tensor value = cosent_of(at::zeros({kRows}, at::kDouble), at::arange(kRows, at::kDouble), 0.05);
  EXPECT_NEAR(value.item<double>(), std::log1p(kRows * (kRows - 1) / 2.0), 1e-9);
}

TEST(Cosent, EqualScoresMakeNoPair) {
  LossBatch batch = full_batch(false);
  batch.scores = at::ones({5}, at::kDouble);
  const LossRecipe recipe = loss_recipe("cosent");
  EXPECT_EQ(loss_value(batch, recipe), 0);
  for (const at::Tensor& gradient : gradients_of([&](const LossBatch& b) { return cosent(b, recipe); }, batch)) {
    EXPECT_EQ(gradient.abs().max().item<double>(), 0);
  }
}

TEST(Cosent, ScoresAreOnlyAnOrder) {
  LossBatch batch = full_batch(false);
  const double value = loss_value(batch, loss_recipe("cosent"));
  batch.scores = (batch.scores * 3 - 7).to(at::kFloat);
  EXPECT_EQ(loss_value(batch, loss_recipe("cosent")), value);
  batch.scores = -batch.scores;
  EXPECT_NE(loss_value(batch, loss_recipe("cosent")), value);
}

TEST(Cosent, WantsOneScoreARow) {
  LossBatch batch = full_batch(true);
  expect_error(ErrorKind::kInvalidInput, "loss 'cosent', column score: expected shape (5), found (5, 3)",
               [&] { cosent(batch, loss_recipe("cosent")); });
  batch.scores = at::Tensor();
  expect_error(ErrorKind::kInvalidInput, "loss 'cosent' needs column score",
               [&] { cosent(batch, loss_recipe("cosent")); });
}

}  // namespace
}  // namespace jina::test
