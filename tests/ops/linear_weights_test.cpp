#include "ops/linear_weights.h"

#include "support/expect_error.h"

namespace jina {
namespace {

LinearWeights weights() {
  LinearWeights result{
      .weight = make_tensor(DType::kF32, {4, 3}), .bias = make_tensor(DType::kF32, {4}), .adapters = {}};
  result.adapters.push_back({.a = make_tensor(DType::kF32, {2, 3}), .b = make_tensor(DType::kF32, {4, 2})});
  return result;
}

void expect_rejected(const LinearWeights& weights, const std::string& message) {
  test::expect_error(ErrorKind::kModelFile, message, [&] { check_linear(weights); });
}

TEST(CheckLinear, TakesWhatFits) {
  LinearWeights linear = weights();
  check_linear(linear);
  linear.bias.reset();
  linear.adapters.clear();
  check_linear(linear);
}

TEST(CheckLinear, NamesWhatDoesNot) {
  LinearWeights vector = weights();
  vector.weight = make_tensor(DType::kF32, {12});
  expect_rejected(vector, "weight is (12), expected (out, in)");
  LinearWeights bias = weights();
  bias.bias = make_tensor(DType::kF32, {3});
  expect_rejected(bias, "bias is (3), expected (4) for a weight of (4, 3)");
  LinearWeights adapter = weights();
  adapter.adapters.front().b = make_tensor(DType::kF32, {4, 1});
  expect_rejected(adapter, "adapter is (2, 3) and (4, 1), expected (rank, 3) and (4, rank)");
}

}  // namespace
}  // namespace jina
