#include "training/losses/inputs.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

TEST(LossInputs, DefaultsAreFilledIn) {
  const LossSettings settings =
      check_inputs("info_nce", full_batch(false), loss_recipe("info_nce", 0.02, {{"class_mask", 1}}));
  EXPECT_EQ(settings.temperature, 0.02);
  EXPECT_EQ(settings.at("directions"), 2);
  EXPECT_TRUE(settings.is_on("class_mask"));
  EXPECT_EQ(settings.at("false_negative_margin"), 2);
}

TEST(LossInputs, UnknownOptionsNameTheKnown) {
  expect_error(
      ErrorKind::kInvalidInput,
      "loss 'info_nce' has no option 'scale'; it has: temperature, directions, class_mask, false_negative_margin", [] {
        check_loss(loss_recipe("info_nce", 0.05, {{"scale", 1}}));
      });
  expect_error(ErrorKind::kInvalidInput, "unknown loss 'infonce'; known are: info_nce, cosent",
               [] { check_loss(loss_recipe("infonce")); });
  check_loss(loss_recipe("info_nce", 0.05, {{"directions", 1}}));
}

TEST(LossInputs, OptionsStayInTheirRange) {
  for (const double directions : {0.0, 3.0, 1.5, double(NAN)}) {
    expect_error(ErrorKind::kInvalidInput, "option directions: expected a whole number from 1 to 2", [&] {
      check_loss(loss_recipe("info_nce", 0.05, {{"directions", directions}}));
    });
  }
  expect_error(ErrorKind::kInvalidInput, "option scale", [] {
    check_loss(loss_recipe("margin_mse", 1, {{"scale", 0}}));
  });
}

TEST(LossInputs, TemperatureIsAboveZero) {
  for (const double temperature : {0.0, -0.05, double(NAN), double(INFINITY)}) {
    expect_error(ErrorKind::kInvalidInput, "loss 'cosent', temperature: expected a number above 0",
                 [&] { check_loss(loss_recipe("cosent", temperature)); });
  }
}

TEST(LossInputs, ShapesMustFit) {
  const LossBatch good = full_batch(false);
  const auto reject = [&good](auto&& change, std::string_view part) {
    LossBatch batch = good;
    change(batch);
    expect_error(ErrorKind::kInvalidInput, part, [&] { check_inputs("info_nce", batch, loss_recipe("info_nce")); });
  };
  reject(
      [](LossBatch& b) {
        b.positives = random_tensor(1, {4, 6});
      },
      "column positive: expected 5 rows as queries have, found shape (4, 6)");
  reject(
      [](LossBatch& b) {
        b.negatives = random_tensor(1, {5, 2, 7});
      },
      "column negatives: expected vectors of width 6, found shape (5, 2, 7)");
  reject(
      [](LossBatch& b) {
        b.negatives = random_tensor(1, {5, 6});
      },
      "column negatives: expected 3 dimensions, found shape (5, 6)");
  reject([](LossBatch& b) { b.labels = b.labels.to(at::kInt); }, "column label: expected int64, found Int");
  reject(
      [](LossBatch& b) {
        b.queries = at::ones({5, 6}, at::kLong);
      },
      "column query: expected a floating type, found Long");
  reject([](LossBatch& b) { b.queries = at::zeros({0, 6}); }, "the batch has no rows");
}

TEST(LossInputs, TaughtRowsPutPositivesBelowQueries) {
  LossBatch batch = full_batch(false);
  batch.teacher_queries = batch.teacher_queries.to(at::kFloat);
  batch.teacher_positives = batch.teacher_positives.to(at::kFloat).set_requires_grad(true);
  const TaughtRows rows = taught_rows("x", batch);
  EXPECT_TRUE(at::equal(rows.student, at::cat({batch.queries, batch.positives})));
  EXPECT_EQ(rows.teacher.scalar_type(), at::kDouble);
  EXPECT_FALSE(rows.teacher.requires_grad());
  batch.positives = at::Tensor();
  expect_error(ErrorKind::kInvalidInput, "loss 'x' needs column positive", [&] { taught_rows("x", batch); });
}

}  // namespace
}  // namespace jina::test
