#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "tensor/tensor.h"
#include "weights/weights.h"

namespace jina::test {

/// One directory of tests/golden/models: a tiny checkpoint and what the reference made of it
/// (../shared/golden/README.md).
class Golden {
 public:
  explicit Golden(const std::string& name);

  std::string model_directory() const { return directory_ + "/model"; }
  Json expected() const& { return expected_->root(); }
  Json expected() && = delete;  // the values stand in this object's document
  /// Expected values, float32, by the name that expected.json explains; fails the test run when absent.
  Tensor tensor(const std::string& name) const;
  bool has(const std::string& name) const;

 private:
  std::string directory_;
  std::unique_ptr<JsonDocument> expected_;
  std::shared_ptr<WeightSource> tensors_;
};

std::vector<int32_t> int_list(const Json& list);

/// Largest absolute difference; infinite when sizes differ or a value is not a number.
double max_difference(std::span<const float> a, std::span<const float> b);

}  // namespace jina::test
