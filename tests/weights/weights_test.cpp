#include "weights/weights.h"

#include <algorithm>

#include "support/expect_error.h"
#include "support/temporary_directory.h"
#include "weights/safetensors.h"

namespace jina {
namespace {

using test::expect_error;
using testing::HasSubstr;
using testing::Not;

class WeightsTest : public testing::Test {
 protected:
  Weights open(const std::map<std::string, Tensor>& tensors) {
    write_safetensors(directory_.path("m"), tensors);
    return Weights(open_safetensors_file(directory_.path("m")));
  }

  test::TemporaryDirectory directory_;
};

Tensor zeros(Shape shape) { return make_tensor(DType::kF32, shape); }

std::string message_of(const Weights& weights) {
  try {
    weights.finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
    return error.message();
  }
  return "";
}

TEST_F(WeightsTest, ScopesAreDottedNames) {
  const Weights weights = open({{"encoder.layer.3.bias", zeros({4})}, {"table", zeros({2, 2})}});
  EXPECT_EQ((weights / "encoder" / "layer" / 3).scope(), "encoder.layer.3");
  EXPECT_EQ((weights / "").scope(), "");
  EXPECT_TRUE((weights / "encoder.layer" / 3).has("bias"));
  EXPECT_FALSE((weights / "encoder").has("bias"));
  EXPECT_EQ((weights / "encoder" / "layer" / 3).get("bias", {4}).shape(), (Shape{4}));
  EXPECT_EQ((weights / "table").get("", {2, 2}).shape(), (Shape{2, 2}));
  EXPECT_NO_THROW(weights.finish());
  EXPECT_EQ(weights.parameters(), 8);
}

TEST_F(WeightsTest, FinishNamesAllThatIsWrongAtOnce) {
  const Weights weights =
      open({{"a", zeros({2, 3})}, {"b", zeros({4})}, {"spare", zeros({1})}, {"pooler.w", zeros({1})}});
  EXPECT_EQ(weights.get("a", {3, 2}).shape(), (Shape{3, 2}));  // zeros in the meantime
  EXPECT_EQ(weights.get("gone", {5}).shape(), (Shape{5}));
  weights.get("b", {4});
  EXPECT_FALSE(weights.find("optional", {5}).has_value());
  const std::string message = message_of(weights);
  EXPECT_THAT(message, HasSubstr("1 missing:\n  'gone': expected (5)"));
  EXPECT_THAT(message, HasSubstr("'a': expected (3, 2), file has (2, 3)"));
  EXPECT_THAT(message, HasSubstr("2 in the file that the model does not know:\n  'pooler.w'\n  'spare'"));
  EXPECT_THAT(message, Not(HasSubstr("optional")));
  EXPECT_THAT(message, Not(HasSubstr("'b'")));
  expect_error(ErrorKind::kModelFile, directory_.path("m") + ": the weights do not fit", [&] { weights.finish(); });
}

TEST_F(WeightsTest, AnOptionalTensorOfAnotherShapeIsWrongToo) {
  const Weights weights = open({{"a", zeros({2})}});
  EXPECT_EQ(weights.find("a", {3})->shape(), (Shape{3}));
  EXPECT_THAT(message_of(weights), HasSubstr("'a': expected (3), file has (2)"));
}

TEST_F(WeightsTest, WeightsMustBeFloatingPoint) {
  const Weights weights = open({{"ids", make_tensor(DType::kI64, {2})}, {"half", make_tensor(DType::kF16, {2})}});
  EXPECT_EQ(weights.get("ids", {2}).dtype(), DType::kF32);
  EXPECT_EQ(weights.get("half", {2}).dtype(), DType::kF16);
  EXPECT_THAT(message_of(weights), HasSubstr("'ids': expected f32, f16 or bf16, file has i64"));
}

TEST_F(WeightsTest, IgnoredPatternsAreFullNames) {
  const Weights weights = open({{"pooler.dense.bias", zeros({1})},
                                {"x.position_ids", zeros({1})},
                                {"y.position_ids", zeros({1})},
                                {"keep", zeros({1})}});
  (weights / "scope").ignore("pooler.*");
  weights.ignore("*.position_ids");
  EXPECT_THAT(message_of(weights), HasSubstr("1 in the file that the model does not know:\n  'keep'"));
  weights.ignore("k*e*p");
  EXPECT_NO_THROW(weights.finish());
}

TEST_F(WeightsTest, PatternsMatchWholeNames) {
  const Weights weights = open({{"ab", zeros({1})}, {"a", zeros({1})}});
  weights.ignore("a");
  EXPECT_THAT(message_of(weights), HasSubstr("know:\n  'ab'"));
  weights.ignore("*b*b");
  weights.ignore("b*");
  EXPECT_THAT(message_of(weights), HasSubstr("know:\n  'ab'"));
}

TEST_F(WeightsTest, LongListsAreCut) {
  std::map<std::string, Tensor> tensors;
  for (int i = 0; i < 2005; ++i) tensors.emplace(fmt::format("t{:04}", i), zeros({1}));
  const std::string message = message_of(open(tensors));
  EXPECT_THAT(message, HasSubstr("2005 in the file"));
  EXPECT_THAT(message, HasSubstr("'t1999'\n  and 5 more"));
  EXPECT_THAT(message, Not(HasSubstr("t2000")));
}

TEST_F(WeightsTest, ATensorTakenTwiceCountsOnce) {
  const Weights weights = open({{"tied", zeros({2, 5})}});
  weights.get("tied", {2, 5});
  weights.get("tied", {2, 5});
  EXPECT_EQ(weights.parameters(), 10);
}

TEST_F(WeightsTest, SizesOfABrokenConfigAreNoAllocation) {
  const Weights weights = open({{"a", zeros({2})}});
  constexpr int64_t kHuge = int64_t{1} << 40;
  expect_error(ErrorKind::kModelFile, "'table': expected (1099511627776, 1099511627776)", [&] {
    weights.get("table", {kHuge, kHuge});
  });
  expect_error(ErrorKind::kModelFile, "'a': expected (-2), file has (2)", [&] { weights.get("a", {-2}); });
}

TEST_F(WeightsTest, ManyMissingLayersEndEarly) {
  for (const int64_t width : {1, 8192}) {  // many small ones, few large ones
    const Weights weights = open({{"later", zeros({2})}});
    int64_t asked = 0;
    std::string message;
    try {
      for (; asked < 1'000'000; ++asked) (weights / "layer" / asked).get("weight", {width, width});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
      message = error.message();
    }
    EXPECT_THAT(message, HasSubstr("so the rest was not looked at"));
    EXPECT_THAT(message, Not(HasSubstr("later"))) << "it may still be asked for";
    EXPECT_LE(asked * std::max<int64_t>(width * width * 4, 64 << 10), int64_t{3} << 30);
    EXPECT_GE(asked, 10);
  }
}

TEST_F(WeightsTest, ReleaseReachesTheFile) {
  const Weights weights = open({{"a", zeros({5000})}});
  const Tensor a = weights.get("a", {5000});
  weights.release_taken();
  EXPECT_EQ(a.data<float>()[4999], 0.0F);
}

}  // namespace
}  // namespace jina
