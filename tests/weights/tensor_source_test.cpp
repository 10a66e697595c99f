#include "weights/tensor_source.h"

#include "support/expect_error.h"

namespace jina {
namespace {

TEST(TensorSource, GivesWhatItHoldsAndAccountsForAll) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const auto source =
      make_tensor_source({{"a.weight", make_tensor(values, {2, 3})}, {"b", make_tensor(values, {6})}}, "memory");
  EXPECT_EQ(source->names(), (std::vector<std::string>{"a.weight", "b"}));
  const Weights weights(source);
  EXPECT_TRUE((weights / "a").has("weight"));
  EXPECT_EQ((weights / "a").get("weight", {2, 3}).row<float>(1)[0], 4);
  EXPECT_FALSE(weights.find("c", {1}).has_value());
  test::expect_error(ErrorKind::kModelFile, "memory", [&] { weights.finish(); });
  weights.ignore("b");
  weights.finish();
}

}  // namespace
}  // namespace jina
