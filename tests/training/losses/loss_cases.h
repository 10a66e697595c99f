#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "training/losses/loss.h"

namespace jina::test {

// --- the golden file (tests/golden/losses.json) and its inputs

inline const JsonDocument& loss_golden() {
  static const JsonDocument document = JsonDocument::parse_file(JINA_SOURCE_DIR "/tests/golden/losses.json");
  return document;
}

inline double golden_value(std::string_view key) { return loss_golden().root().at(key).as_double(); }

/// (values) f64
inline at::Tensor golden_list(std::string_view key) {
  std::vector<double> values;
  for (const Json& value : loss_golden().root().at(key).as_array()) values.push_back(value.as_double());
  return at::tensor(values, at::kDouble);
}

/// vec(tag, i, d) of the golden file. (8)
inline at::Tensor golden_vector(uint32_t tag, uint32_t i) {
  std::vector<double> values;
  uint32_t x = (1000 * tag + i + 1) * 2654435761U + 12345;
  for (int step = 0; step < 12; ++step) {
    x = 1664525 * x + 1013904223;
    if (step >= 4) values.push_back(((x >> 8) & 65535) / 32768.0 - 1);
  }
  return at::tensor(values, at::kDouble);
}

/// Q, P, N, MQ and MD of the golden file, not normalised.
inline LossBatch golden_batch() {
  std::vector<at::Tensor> queries, positives, negatives, query_tokens, positive_tokens;
  LossBatch batch;
  for (uint32_t i = 0; i < 4; ++i) {
    queries.push_back(golden_vector(0, i));
    positives.push_back(0.35 * golden_vector(0, i) + 0.65 * golden_vector(1, i));
    negatives.push_back(at::stack({golden_vector(2, i), golden_vector(3, i)}));
    for (uint32_t k = 0; k < 3; ++k) query_tokens.push_back(golden_vector(10 + k, i));
    for (uint32_t k = 0; k < 5; ++k) {
      positive_tokens.push_back(0.4 * golden_vector(10 + k % 3, i) + 0.6 * golden_vector(20 + k, i));
    }
  }
  batch.queries = at::stack(queries);
  batch.positives = at::stack(positives);
  batch.negatives = at::stack(negatives);
  batch.query_tokens = {at::stack(query_tokens), {0, 3, 6, 9, 12}};
  batch.positive_tokens = {at::stack(positive_tokens), {0, 5, 10, 15, 20}};
  return batch;
}

// --- random inputs

/// Normal numbers, f64, a function of the seed.
inline at::Tensor random_tensor(uint64_t seed, at::IntArrayRef sizes) {
  const CounterRng rng(seed, "losses");
  at::Tensor values = at::empty(sizes, at::kDouble);
  for (int64_t i = 0; i < values.numel(); ++i) values.data_ptr<double>()[i] = rng.normal(static_cast<uint64_t>(i));
  return values;
}

/// Whole numbers from 0 to `count` - 1, int64: many are equal.
inline at::Tensor random_classes(uint64_t seed, at::IntArrayRef sizes, int64_t count) {
  const CounterRng rng(seed, "classes");
  at::Tensor values = at::empty(sizes, at::kLong);
  for (int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<int64_t>()[i] =
        static_cast<int64_t>(rng.bits(static_cast<uint64_t>(i)) % static_cast<uint64_t>(count));
  }
  return values;
}

/// Five rows of width 6 with everything that a loss may want; documents are scored for losses that use negatives.
inline LossBatch full_batch(bool are_documents_scored) {
  LossBatch batch;
  batch.queries = random_tensor(1, {5, 6});
  batch.positives = batch.queries + random_tensor(2, {5, 6});
  batch.negatives = random_tensor(3, {5, 2, 6});
  batch.scores = are_documents_scored ? random_tensor(4, {5, 3}) : at::tensor({2.0, 1.0, 2.0, 0.0, 3.0}, at::kDouble);
  batch.labels = at::tensor({0, 1, 0, 2, 1}, at::kLong);
  batch.negative_labels = random_classes(5, {5, 2}, 4);
  batch.teacher_queries = batch.queries + 0.5 * random_tensor(6, {5, 6});
  batch.teacher_positives = random_tensor(7, {5, 6});
  batch.query_tokens = {random_tensor(8, {9, 4}), {0, 1, 3, 6, 7, 9}};
  batch.positive_tokens = {random_tensor(9, {14, 4}), {0, 4, 5, 8, 12, 14}};
  batch.layers = {random_tensor(10, {7, 3}), random_tensor(11, {7, 3})};
  batch.teacher_layers = {random_tensor(12, {7, 3}), 5 * random_tensor(13, {7, 3})};
  return batch;
}

inline LossBatch full_batch(const LossEntry& entry) {
  return full_batch(entry.name == "margin_mse" || entry.name == "distil_kl");
}

inline LossRecipe loss_recipe(std::string_view name, double temperature = 0.05,
                              const std::map<std::string, double>& options = {}) {
  return {.name = std::string(name), .temperature = temperature, .options = options};
}

inline at::Tensor compute_loss(const LossBatch& batch, const LossRecipe& recipe) {
  return find_loss(recipe.name).compute(batch, recipe);
}

inline double loss_value(const LossBatch& batch, const LossRecipe& recipe) {
  return compute_loss(batch, recipe).item<double>();
}

// --- gradients

/// The members that may get a gradient, as they are in `batch`.
inline std::vector<at::Tensor*> differentiable(LossBatch& batch) {
  std::vector<at::Tensor*> members;
  for (at::Tensor* member : {&batch.queries, &batch.positives, &batch.negatives, &batch.query_tokens.vectors,
                             &batch.positive_tokens.vectors}) {
    if (member->defined()) members.push_back(member);
  }
  for (at::Tensor& layer : batch.layers) members.push_back(&layer);
  return members;
}

using LossOf = std::function<at::Tensor(const LossBatch&)>;

/// Gradient with respect to each differentiable member, zero where the loss does not depend on it.
inline std::vector<at::Tensor> gradients_of(const LossOf& loss, LossBatch batch) {
  std::vector<at::Tensor> gradients;
  const std::vector<at::Tensor*> members = differentiable(batch);
  for (at::Tensor* member : members) *member = member->detach().clone().set_requires_grad(true);
  const at::Tensor value = loss(batch);
  EXPECT_EQ(value.dim(), 0);
  value.backward();
  for (const at::Tensor* member : members) {
    gradients.push_back(member->grad().defined() ? member->grad() : at::zeros_like(*member));
  }
  return gradients;
}

/// Derivative of the loss when a member moves in a direction, from four points (error of fourth order).
inline double numeric_derivative(const LossOf& loss, const LossBatch& batch, at::Tensor& member,
                                 const at::Tensor& direction) {
  constexpr double kStep = 2e-5;
  const at::Tensor original = member;
  const auto value_at = [&](double shift) {
    member = original + shift * direction;
    return loss(batch).item<double>();
  };
  const double near = value_at(kStep) - value_at(-kStep), far = value_at(2 * kStep) - value_at(-2 * kStep);
  member = original;
  return (8 * near - far) / (12 * kStep);
}

/// One thread while it lives: teams of threads that wait for each other at every tiny operation take a hundred times
/// the time when the processors are busy.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

/// Compares every gradient with finite differences in f64, element by element; a member without any gradient only in
/// one random direction. Fails too when all gradients are zero.
inline void gradient_check(const LossOf& loss, const LossBatch& given, double tolerance = 1e-7) {
  const OneThread one_thread;
  const std::vector<at::Tensor> analytic = gradients_of(loss, given);
  LossBatch batch = given;
  const std::vector<at::Tensor*> members = differentiable(batch);
  double worst = 0, largest = 0;
  const auto compare = [&](at::Tensor& member, const at::Tensor& gradient, const at::Tensor& direction) {
    const double numeric = numeric_derivative(loss, batch, member, direction);
    worst = std::max(worst, std::abs(numeric - (gradient * direction).sum().item<double>()));
    largest = std::max(largest, std::abs(numeric));
  };
  for (size_t m = 0; m < members.size(); ++m) {
    EXPECT_TRUE(at::isfinite(analytic[m]).all().item<bool>());
    const int64_t count = members[m]->numel();
    if (analytic[m].abs().max().item<double>() == 0) {
      compare(*members[m], analytic[m], random_tensor(m, members[m]->sizes()));
      continue;
    }
    const at::Tensor directions = at::eye(count, at::kDouble);
    for (int64_t i = 0; i < count; ++i) {
      compare(*members[m], analytic[m], directions[i].reshape(members[m]->sizes()));
    }
  }
  EXPECT_LE(worst, tolerance * std::max(1.0, largest));
  EXPECT_GT(largest, 1e-6) << "no member has a gradient: nothing was compared";
}

inline void gradient_check(const LossRecipe& recipe, const LossBatch& batch, double tolerance = 1e-7) {
  gradient_check([&recipe](const LossBatch& b) { return compute_loss(b, recipe); }, batch, tolerance);
}

inline double max_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

/// Cosines of all rows of two matrices, written out. (rows of a, rows of b)
inline at::Tensor cosines(const at::Tensor& a, const at::Tensor& b) {
  return at::matmul(a, b.t()) / (a.square().sum(1).sqrt().unsqueeze(1) * b.square().sum(1).sqrt().unsqueeze(0));
}

inline double element(const at::Tensor& values, int64_t i) { return values[i].item<double>(); }
inline double element(const at::Tensor& values, int64_t i, int64_t j) { return values[i][j].item<double>(); }

}  // namespace jina::test
